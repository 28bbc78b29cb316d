"""Texts handed to sendsms, and what its answers mean."""

from urllib.parse import unquote

import httpx2
import pytest

from call_core.errors import DeliveryError
from call_core.outcomes import Refused
from channels.kannel_sms.sending import Sendsms, path_of
from channels.kannel_sms.settings import KannelSettings
from channels.kit.contract import Outgoing

pytestmark = pytest.mark.anyio

ANNA = "+12125550101"
SECRET = "part-of-the-path"
OUTGOING = Outgoing("msg_1", ANNA, Refused("unknown_sender"), "", "", 0, "UTC")


async def deliver(
    monkeypatch: pytest.MonkeyPatch, answer: httpx2.Response | Exception, **settings: str
) -> httpx2.Request:
    """Send one text to a sendsms that answers so; return the request that it got."""
    asked: list[httpx2.Request] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx2.AsyncClient

    def made(**_: object) -> httpx2.AsyncClient:
        return client(transport=httpx2.MockTransport(respond))

    monkeypatch.setattr(httpx2, "AsyncClient", made)
    url = "http://127.0.0.1:13013/cgi-bin/sendsms"
    made_settings = KannelSettings.model_validate(
        {"sendsms_url": url, "secret": SECRET, "password": "pass", **settings}
    )
    sendsms = Sendsms(made_settings)
    try:
        await sendsms.send(OUTGOING)
    finally:
        await sendsms.close()
    return asked[0]


async def test_a_text_is_posted_with_its_secrets_in_headers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None is in the address, which servers log."""
    accepted = httpx2.Response(202, text="0: Accepted for delivery")
    report_url = "http://127.0.0.1:8080/"
    asked = await deliver(monkeypatch, accepted, from_number="12345", report_url=report_url)
    assert asked.url.query == b""
    assert (asked.headers["x-kannel-to"], asked.headers["x-kannel-from"]) == (ANNA, "12345")
    assert asked.headers["x-kannel-password"] == "pass"
    assert asked.headers["x-kannel-coding"] == "0"
    assert "x-kannel-smsc" not in asked.headers
    assert asked.headers["x-kannel-dlr-mask"] == "19"
    url = asked.headers["x-kannel-dlr-url"]
    assert url.startswith(f"http://127.0.0.1:8080/sms/kannel/{SECRET}/report?message=msg_1")
    assert unquote(url.replace("%%", "%").partition("&dlr=")[0]).endswith(f"&to={ANNA}")
    assert url.endswith("&dlr=%d&id=%I")


@pytest.mark.parametrize(
    ("answer", "retryable", "uncertain"),
    [
        (httpx2.Response(403, text="Authorization failed for sendsms"), True, False),
        (httpx2.Response(400, text="Number(s) has/have been denied by lists."), False, False),
        (httpx2.Response(400, text="Missing receiver number, rejected"), False, False),
        (httpx2.Response(503, text="Temporal failure, try again later."), True, False),
        (httpx2.ConnectError("refused"), True, False),
        (httpx2.ConnectTimeout("late"), True, False),
        (httpx2.PoolTimeout("none free"), True, False),
        (httpx2.ReadTimeout("late"), True, True),
        (httpx2.RemoteProtocolError("gone"), True, True),
    ],
)
async def test_refusals_say_whether_a_retry_helps(
    monkeypatch: pytest.MonkeyPatch,
    answer: httpx2.Response | Exception,
    *,
    retryable: bool,
    uncertain: bool,
) -> None:
    """What smsbox may have taken is uncertain, and nothing else."""
    with pytest.raises(DeliveryError) as raised:
        await deliver(monkeypatch, answer)
    assert (raised.value.retryable, raised.value.uncertain) == (retryable, uncertain)


@pytest.mark.parametrize(
    ("secret", "path"),
    [("", "/sms/kannel"), ("abc", "/sms/kannel/abc"), ("a/b?c", "/sms/kannel/a%2Fb%3Fc")],
)
def test_the_secret_is_one_part_of_the_path(secret: str, path: str) -> None:
    """Whatever letters it has."""
    assert path_of(KannelSettings.model_validate({"secret": secret})) == path
