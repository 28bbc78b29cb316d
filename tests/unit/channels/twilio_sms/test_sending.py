"""What Twilio's refusals mean."""

import httpx2
import pytest

from call_core.errors import DeliveryError
from channels.twilio_sms.sending import VERDICTS, Refused, Sender, Verdict
from channels.twilio_sms.settings import TwilioSettings


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


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (httpx2.ConnectError("refused"), False),
        (httpx2.ConnectTimeout("late"), False),
        (httpx2.PoolTimeout("none free"), False),
        (httpx2.ReadTimeout("late"), True),
        (httpx2.RemoteProtocolError("gone"), True),
    ],
)
async def test_only_what_twilio_may_have_is_uncertain(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, uncertain: bool
) -> None:
    """Whatever never left us is simply sent again."""

    def respond(_: httpx2.Request) -> httpx2.Response:
        raise error

    client = httpx2.AsyncClient

    def made(**_: object) -> httpx2.AsyncClient:
        return client(transport=httpx2.MockTransport(respond))

    monkeypatch.setattr(httpx2, "AsyncClient", made)
    said = {"account_sid": "AC1", "auth_tokens": ["secret"], "from_number": "+12025550143"}
    sender = Sender(TwilioSettings.model_validate(said))
    try:
        with pytest.raises(DeliveryError) as raised:
            await sender.send("+12125550101", "Calling.", "")
    finally:
        await sender.close()
    assert (raised.value.retryable, raised.value.uncertain) == (True, uncertain)
