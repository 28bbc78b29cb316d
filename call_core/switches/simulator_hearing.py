"""What is heard, keyed and said on an answered leg of the simulator; pure arithmetic.

At one instant, what was caused earlier comes first, so each event goes with the index of the
command that made it (-1: the script alone). An event that a new command adds then never slips in
before one that was told already.
"""

from collections.abc import Sequence

from call_core.contracts import EventKind, Order, Prompt, SwitchEvent
from call_core.switches.simulator_commands import Command, Key, Play, Stop, Talk
from call_core.switches.simulator_phone import PhoneResult, PhoneScript

# --- how long things take, in milliseconds --------------------------------------------------------

DIGIT_GAP_MS = 200  # between two keys of one number
PROMPT_MS = {
    Prompt.ACCEPT: 4_000,
    Prompt.ACCEPT_INVITED: 4_000,
    Prompt.VERIFY: 3_000,
    Prompt.NO_ANSWER: 3_000,
    Prompt.BUSY: 3_000,
    Prompt.FAILED: 3_000,
    Prompt.ENDING_SOON: 2_000,
    Prompt.OPTED_OUT: 3_000,
    Prompt.JOIN_TONE: 400,
}  # HOLD_TONE is not here: it goes on until it is stopped, replaced or the leg is bridged
ASKING = frozenset({Prompt.ACCEPT, Prompt.ACCEPT_INVITED, Prompt.VERIFY})

Dated = tuple[int, int, SwitchEvent]  # at_call_ms, caused by, event; sorts by the first two


def heard(order: Order, script: PhoneScript, commands: Sequence[Command]) -> list[Dated]:
    """Return digits, ends of prompts and bridgings, in no order."""
    return [
        *_digits(order, script, commands),
        *_prompts(order, commands),
        *_bridges(order, commands),
    ]


def event_of(
    order: Order, suffix: str, kind: EventKind, at_call_ms: int, digit: str = ""
) -> SwitchEvent:
    """Return one event of a leg; the suffix makes its id stable."""
    return SwitchEvent(
        f"{order.leg_id}:{suffix}", kind, order.leg_id, order.call_id, at_call_ms, digit
    )


def prompt_end(commands: Sequence[Command], index: int) -> tuple[int, int] | None:
    """Return when the prompt of the command at `index` ends and which command's doing that is.

    Another prompt or a stop cuts it short; a hold tone also ends when the leg begins to talk.
    None: it goes on.
    """
    play = commands[index]
    assert isinstance(play, Play)
    length_ms = PROMPT_MS.get(play.prompt)
    cutting = (Play, Stop, Talk) if length_ms is None else (Play, Stop)
    cut = next((i for i in range(index + 1, len(commands)) if isinstance(commands[i], cutting)), -1)
    if length_ms is not None:
        natural = play.at_call_ms + length_ms
        if cut < 0 or natural <= commands[cut].at_call_ms:
            return natural, index
    return None if cut < 0 else (commands[cut].at_call_ms, cut)


def _digits(order: Order, script: PhoneScript, commands: Sequence[Command]) -> list[Dated]:
    """Return the keys pressed, by script when a prompt asks and by hand, numbered in order."""
    pressed: list[tuple[int, int, str]] = []
    for index, command in enumerate(commands):
        if isinstance(command, Key):
            pressed.append((command.at_call_ms, index, command.digit))
        elif isinstance(command, Play) and script.result is PhoneResult.ANSWER:
            pressed += _keyed_because_of(index, script, commands)
    pressed.sort(key=lambda key: key[:2])
    return [
        (at_call_ms, index, event_of(order, f"digit:{n}", EventKind.DIGIT, at_call_ms, digit))
        for n, (at_call_ms, index, digit) in enumerate(pressed, start=1)
    ]


def _keyed_because_of(
    index: int, script: PhoneScript, commands: Sequence[Command]
) -> list[tuple[int, int, str]]:
    """Return what one prompt makes the person key: nothing if it was cut before the first key.

    Somebody who has begun goes on keying although the prompt was stopped at the first digit.
    """
    play = commands[index]
    assert isinstance(play, Play)
    begins = play.at_call_ms + script.press_after_ms
    end = prompt_end(commands, index)
    cut_before = end is not None and end[1] != index and end[0] < begins
    if play.prompt not in ASKING or cut_before:
        return []
    return [(begins + n * DIGIT_GAP_MS, index, digit) for n, digit in enumerate(script.press)]


def _prompts(order: Order, commands: Sequence[Command]) -> list[Dated]:
    """Return the end of each prompt, once, however it came."""
    found: list[Dated] = []
    plays = [index for index, command in enumerate(commands) if isinstance(command, Play)]
    for n, index in enumerate(plays, start=1):
        end = prompt_end(commands, index)
        if end is not None:
            event = event_of(order, f"prompt_ended:{n}", EventKind.PROMPT_ENDED, end[0])
            found.append((*end, event))
    return found


def _bridges(order: Order, commands: Sequence[Command]) -> list[Dated]:
    """Return the instants at which the leg began to hear another."""
    talks = [(c.at_call_ms, index) for index, c in enumerate(commands) if isinstance(c, Talk)]
    return [
        (at, index, event_of(order, f"bridged:{n}", EventKind.BRIDGED, at))
        for n, (at, index) in enumerate(talks, start=1)
    ]
