"""Nothing but E.164 gets into a dial string, whatever an order says."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.contracts import Order
from call_core.switches.asterisk_dial import (
    SLOTS,
    NotDialled,
    kept_in,
    originate_of,
    slot_of,
)
from tests.support.orders import an_order

TRUNKS = frozenset({"main", "trunk", "spare"})
ENDPOINT = re.compile(r"PJSIP/\+?[1-9][0-9]{6,14}@(main|trunk|spare)")
CALLER = re.compile(r"\+[1-9][0-9]{6,14}")
VALUES = re.compile(r"[A-Za-z0-9_.,+*#-]*")
TEXTS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"\+[0-9]{1,18}[@&/;,\n ]?[a-z]{0,4}", fullmatch=True),
    st.sampled_from(["main", "trunk", "+12025550101", "+12025550101\n", "call_1.0.1", "12", ""]),
)
ORDER = an_order("call_1.0.1", at_call_ms=1)


@given(
    TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.booleans(), st.integers(-5, 5_000), st.integers(-5, 5_000)
)
def test_only_e164_reaches_a_dial_string(
    number: str,
    trunk: str,
    caller_id: str,
    leg_id: str,
    post_dial: str,
    private: bool,  # noqa: FBT001  (as above)
    ring_s: int,
    limit_s: int,
) -> None:
    """Any order is either refused, or becomes a request in which everything is what it must be."""
    order = Order(
        leg_id, "call_1", 3, number, trunk, caller_id, private, post_dial, ring_s, limit_s, 1
    )
    try:
        made = originate_of(order, "callgate", TRUNKS, plus=True)
    except NotDialled:
        return
    assert ENDPOINT.fullmatch(made.endpoint)
    assert made.endpoint == f"PJSIP/{number}@{trunk}"
    assert not made.caller_id or (CALLER.fullmatch(made.caller_id) and not private)
    assert int(made.query()["timeout"]) > 0
    assert int(made.variables["CALLGATE_LIMIT_S"]) > 0
    for name, value in made.variables.items():
        assert VALUES.fullmatch(value), name


def test_an_order_becomes_a_request() -> None:
    """It goes to our context, with its limit, its digits and its slot."""
    made = originate_of(replace(ORDER, post_dial="12"), "callgate", TRUNKS, plus=False)
    assert made.query() == {
        "callerId": "+12025550143",
        "endpoint": "PJSIP/12025550101@trunk",
        "context": "callgate",
        "extension": "leg",
        "priority": "1",
        "timeout": "30",
    }
    assert made.variables["CALLGATE_LIMIT_S"] == "3600"
    assert made.variables["CALLGATE_DIGITS"] == "12"
    assert made.variables["CALLGATE_SLOT"] == str(slot_of("call_1.0.1"))
    assert "CALLERID(num-pres)" not in made.variables


def test_a_private_leg_shows_nobody() -> None:
    """No number goes out, and what Asterisk adds by itself is withheld."""
    made = originate_of(replace(ORDER, private=True), "callgate", TRUNKS, plus=True)
    assert "callerId" not in made.query()
    assert made.variables["CALLERID(num-pres)"] == "prohib"
    assert made.variables["CALLERID(name-pres)"] == "prohib"


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "12025550101"},
        {"number": "+1202555"[:6]},
        {"number": "+1234567890123456"},
        {"number": "+12025550101&PJSIP/+882@main"},
        {"caller_id": "911"},
        {"trunk": "nowhere"},
        {"trunk": "main/../x"},
        {"leg_id": "a" * 65},
        {"leg_id": "a/b"},
        {"call_id": ""},
        {"post_dial": "1" * 41},
        {"post_dial": "1;2"},
        {"ring_timeout_s": 0},
        {"limit_s": 0},
    ],
)
def test_what_is_not_dialled(changes: dict[str, object]) -> None:
    """Each part is checked by itself."""
    with pytest.raises(NotDialled):
        originate_of(replace(ORDER, **changes), "callgate", TRUNKS, plus=True)  # type: ignore[arg-type]


def test_slots_are_spread() -> None:
    """Names of legs that differ little have slots of their own."""
    found = {slot_of(f"call_{n}.0.1") for n in range(1_000)}
    assert len(found) > 700
    assert max(found) < SLOTS
    assert kept_in("call_1.0.1") == f"CALLGATE_ENDED_{slot_of('call_1.0.1')}"
