"""What the window shows and sends."""

from datetime import UTC

import pytest

from channels.api.models import BalanceOut, CallOut, DirectoryEntryOut, LegOut, PartyOut, PhoneOut
from gateway.desk import reading

AT = "2026-09-21T14:13:20.000Z"
LATER = "2026-09-21T14:14:20.000Z"
ENTRIES = [
    DirectoryEntryOut(name=name, number=number, extension="", shared=False)
    for name, number in (("anna", "+1"), ("Bob", "+2"), ("bobby tables", "+3"), ("mom", "+4"))
]


def leg(answered_at: str | None = AT, cause: str = "") -> LegOut:
    """Return one attempt."""
    return LegOut(
        attempt=1,
        state="BRIDGED",
        originated_at=AT,
        ringing_at=AT,
        answered_at=answered_at,
        ended_at=None,
        cause=cause,
        cost="0.04",
    )


def party(
    n: int, label: str, *legs: LegOut, state: str = "BRIDGED", muted: bool = False
) -> PartyOut:
    """Return one party."""
    return PartyOut(
        n=n,
        role="A" if not n else "B",
        label=label,
        number=f"+1{n}",
        state=state,
        muted=muted,
        cost="0.04",
        legs=list(legs),
    )


def call(ref: str, state: str, *parties: PartyOut, **more: object) -> CallOut:
    """Return one call."""
    values: dict[str, object] = {
        "id": f"call_{ref}",
        "ref": ref,
        "kind": "call",
        "state": state,
        "reason": "",
        "channel": "api",
        "user_id": "u",
        "user": "Ada",
        "title": "",
        "billing_code": "",
        "private": False,
        "locked": False,
        "created_at": AT,
        "due_at": None,
        "timezone": "UTC",
        "ended_at": None,
        "paid_until": None,
        "cost": "0.12",
        "currency": "USD",
        "parties": list(parties),
        "version": 1,
    }
    return CallOut.model_validate({**values, **more})


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", ["anna", "Bob", "bobby tables", "mom"]),
        ("bob", ["Bob", "bobby tables"]),
        ("B", ["Bob", "bobby tables"]),
        (" o", ["Bob", "bobby tables", "mom"]),
        ("m", ["mom"]),
        ("+4", []),
        (":mom", []),
    ],
)
def test_names_that_match(typed: str, names: list[str]) -> None:
    """Beginnings first; digits are dialled and find nobody; a colon is no name."""
    assert [each.name for each in reading.matching(ENTRIES, typed)] == names


@pytest.mark.parametrize(
    ("names", "origin", "line"),
    [
        (["mom"], "", "call mom"),
        (["bobby tables"], "cell", 'call "bobby tables" from cell'),
        (["mom", "Bob"], "my office", 'conf mom, Bob from "my office"'),
        (["call"], "", 'call "call"'),
    ],
)
def test_lines_of_names(names: list[str], origin: str, line: str) -> None:
    """One is called, several confer, and no name is taken for a word of the grammar."""
    assert reading.line_for(names, origin) == line


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("616 977 9933", "call 616 977 9933 from cell"),
        (" call mom from office ", "call mom from office"),
        ("conf mom, Bob", "conf mom, Bob from cell"),
        (":who", "who"),
        ("balance", "balance"),
        ("call", "call"),
    ],
)
def test_lines_as_typed(typed: str, line: str) -> None:
    """The chosen phone rings unless another is named; what cannot be read goes out as it is."""
    assert reading.line_typed(typed, "cell") == line


def test_without_a_phone_the_default_rings() -> None:
    """Nothing is said about it then."""
    assert reading.line_typed("call mom", "") == "call mom"


def test_lines_of_control() -> None:
    """Each names the party and the call."""
    heard, silenced = party(3, "mom"), party(4, "bob", muted=True)
    assert reading.line_to_mute(heard, "4F7") == "mute 3 4F7"
    assert reading.line_to_mute(silenced, "4F7") == "unmute 4 4F7"
    assert reading.line_to_drop(heard, "4F7") == "drop 3 4F7"
    assert reading.line_to_redial(heard, "4F7") == "redial 3 4F7"
    assert reading.line_to_add("", "mom", "4F7") == "add mom 4F7"
    assert reading.line_to_add(" 616 977 9933", "", "4F7") == "add 616 977 9933 4F7"
    assert reading.line_to_add("zoe", "", "4F7") == "add zoe 4F7"


def test_only_what_goes_on_is_running() -> None:
    """Neither what waits nor what is over."""
    states = ("ASKED", "SCHEDULED", "QUEUED", "LAUNCHING", "CONNECTED", "ENDING", "ENDED")
    calls = [call(str(n), state) for n, state in enumerate(states)]
    assert [each.state for each in reading.running(calls)] == list(states[2:6])


def test_the_status_line() -> None:
    """State, cost, since when the others talk, until when it is paid."""
    both = (party(0, "cell", leg(AT)), party(1, "mom", leg(None), leg(LATER)))
    live = call("4F7", "CONNECTED", *both, paid_until=LATER, locked=True)
    assert reading.call_text(live, UTC) == (
        "4F7 connected  0.12 USD  since 14:14:20  paid until 14:14:20  locked"
    )
    assert reading.call_text(call("4F7", "LAUNCHING", *both[:1]), UTC) == "4F7 ringing  0.12 USD"
    over = call("4F7", "ENDED", *both[:1], reason="a_not_accepted", paid_until=LATER)
    assert reading.call_text(over) == "4F7 over (a not accepted)  0.12 USD"
    assert reading.call_text(call("4F7", "ENDED")) == "4F7 over  0.12 USD"
    assert reading.call_text(call("4F7", "NEWER")).startswith("4F7 newer")


def test_the_roster() -> None:
    """A party without a name has its number; why it is gone stands where it stood."""
    assert reading.party_row(party(1, "", muted=True)) == ("1", "+11", "bridged", "muted", "0.04")
    gone = party(2, "dave", leg(None, "USER_BUSY"), state="ENDED")
    assert reading.party_row(gone)[2] == "user busy"
    assert reading.party_row(party(2, "dave", state="ENDED"))[2] == "ended"


def test_history_phones_names_and_money_in_words() -> None:
    """The last three; what a phone lacks; the mark of a conference."""
    both = (party(0, "cell"), party(1, "mom"), party(2, ""))
    calls = [call(str(n), "ENDED" if n else "CONNECTED", *both) for n in range(6)]
    assert reading.history_text(calls) == "1 mom, +12 0.12 · 2 mom, +12 0.12 · 3 mom, +12 0.12"
    good = PhoneOut(label="cell", number="+1", verified=True, default=True)
    assert reading.phone_text(good) == "cell  +1"
    assert reading.phone_text(good.model_copy(update={"verified": False})).endswith(
        "(not verified)"
    )
    entry = DirectoryEntryOut(name="mom", number="+4", extension="12", shared=True)
    assert reading.entry_text(entry, is_marked=True) == "+ mom  +4 x12  (company)"
    assert reading.entry_text(ENTRIES[0], is_marked=False) == "  anna  +1"
    money = BalanceOut(
        currency="USD",
        plan="prepaid",
        balance="1",
        held="0",
        available="1.50",
        credit_limit="0",
        spent_today="0",
        daily_spend=None,
    )
    assert reading.balance_text(money) == "1.50 USD available"
