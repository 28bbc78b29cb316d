"""What switches and core say to each other."""

from call_core.contracts import EventKind, Prompt, SwitchEvent


def test_an_event_is_bare_by_default() -> None:
    """What a switch does not say is a normal end, certain, not by us, without an answer."""
    event = SwitchEvent("e1", EventKind.ENDED, "call_1.0.1", "call_1", 5)
    assert (event.digit, event.answered_call_ms, event.cause) == ("", None, 16)
    assert (event.by_us, event.certain) == (False, True)


def test_words_on_the_wire_are_stable() -> None:
    """Events and prompts are stored and logged by these words."""
    assert {str(kind) for kind in EventKind} == {
        *("ringing", "answered", "digit", "prompt_ended", "bridged", "bridge_failed"),
        *("ended", "originate_failed", "switch_lost", "switch_back"),
    }
    assert {str(prompt) for prompt in Prompt} == {
        *("accept", "accept_invited", "verify", "no_answer", "busy", "failed"),
        *("ending_soon", "opted_out", "join_tone", "hold_tone"),
    }
