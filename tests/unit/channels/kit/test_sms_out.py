"""Which words of an answer go out as a text, and in how many parts."""

import pytest

from call_core.errors import DeliveryError
from call_core.outcomes import Outcome, Phrase, Refused, Told
from channels.kit import sms_out
from channels.kit.contract import Outgoing
from channels.kit.render import Budget, render
from channels.kit.sms_out import sms_segments
from parsers.gsm0338 import Alphabet, Segments

MENU = Told("menu")
STRANGER = Refused("unknown_sender")


def outgoing(content: Outcome, *, test: bool = False) -> Outgoing:
    """Return a message for Anna."""
    return Outgoing("msg_1", "+12125550101", content, "", "", 0, "UTC", test)


@pytest.mark.parametrize("content", [MENU, STRANGER])
def test_one_part_holds_the_short_wording(content: Outcome) -> None:
    """160 septets, in the 7-bit alphabet, TEST included."""
    for test in (False, True):
        found = sms_segments(outgoing(content, test=test), 1)
        assert len(found.parts) == 1
        assert found.units <= 160
        assert found.alphabet is Alphabet.GSM7
        assert found.parts[0].startswith("TEST") is test


def test_more_parts_hold_the_full_wording_if_it_fits() -> None:
    """What is paid for is used, and no more."""
    rows = tuple(Phrase(f"line_number_{number}_of_a_long_list") for number in range(12))
    listed = Told("next", rows=rows)
    full = render(listed, Budget.FULL)
    found = sms_segments(outgoing(listed), sms_out.SEGMENTS_LIMIT)
    assert "".join(found.parts) == full
    assert len(found.parts) == 3
    assert sms_segments(outgoing(listed), 3).parts == found.parts
    assert sms_segments(outgoing(listed), 2).parts == sms_segments(outgoing(listed), 1).parts


def test_what_cannot_fit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wording that broke its promise is a defect, not three texts to pay for."""
    monkeypatch.setattr(sms_out, "segments", lambda _: Segments(Alphabet.UCS2, 80, ("a", "b")))
    with pytest.raises(DeliveryError) as raised:
        sms_segments(outgoing(Told("directory", rows=(Phrase("phone"),))), 1)
    assert not raised.value.retryable
