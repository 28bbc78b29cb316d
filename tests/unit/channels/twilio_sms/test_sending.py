"""What Twilio's refusals mean."""

import pytest

from channels.twilio_sms.sending import VERDICTS, Refused, Verdict


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        *[(400, code, verdict) for code, verdict in VERDICTS.items()],
        (400, 12345, Verdict.NEVER),
        (429, 0, Verdict.LATER),
        (503, 0, Verdict.LATER),
        (401, 0, Verdict.OURS),
    ],
)
def test_every_refusal_has_a_verdict(status: int, code: int, verdict: Verdict) -> None:
    """By Twilio's code, else by the status."""
    assert Refused(status, code).verdict is verdict
