"""Texts handed to smsbox's sendsms, and what its delivery reports say (User's Guide, chapter 8)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

import httpx2
import structlog

from call_core.errors import DeliveryError
from channels.kannel_sms.settings import KannelSettings
from channels.kit.contract import Outgoing
from channels.kit.sms_out import sms_segments
from parsers.gsm0338 import Alphabet

PATH: Final = "/sms/kannel"
_CODINGS: Final = {Alphabet.GSM7: "0", Alphabet.UCS2: "2"}
_log = structlog.get_logger(__name__)


class Dlr(StrEnum):
    """Kannel's numbers of delivery reports; queued and intermediate ones are not asked for."""

    DELIVERED = "1"
    NOT_DELIVERED = "2"
    REJECTED_BY_SMSC = "16"


_DLR_MASK: Final = sum(int(each.value) for each in Dlr)

# What sendsms says: (status, beginning of its text) -> whether the same text may be sent later.
_SENDSMS_REFUSALS: Final[Mapping[tuple[int, str], bool]] = {
    (400, "Number(s) has/have been denied"): False,
    (400, "Missing receiver number"): False,
    (403, "Authorization failed"): True,  # the operator's to mend
    (400, "Sender missing"): True,  # as above
}


def path_of(settings: KannelSettings) -> str:
    """Return the path that smsbox asks for, the secret included."""
    secret = quote(settings.secret.get_secret_value(), safe="")
    return f"{PATH}/{secret}" if secret else PATH


class Sendsms:
    """A client of sendsms."""

    def __init__(self, settings: KannelSettings) -> None:
        self._settings = settings
        self._client = httpx2.AsyncClient(timeout=settings.timeout_s, trust_env=False)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def send(self, message: Outgoing) -> None:
        """Post one text.

        Raises:
            DeliveryError: `uncertain` when smsbox had it and did not answer.
        """
        made = sms_segments(message, self._settings.max_segments)
        headers = self._headers(message, _CODINGS[made.alphabet])
        try:
            answer = await self._client.post(
                self._settings.sendsms_url, content="".join(made.parts).encode(), headers=headers
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise DeliveryError(f"sendsms: {error!r}", retryable=True) from error
        except httpx2.HTTPError as error:
            raise DeliveryError(f"sendsms: {error!r}", retryable=True, uncertain=True) from error
        if answer.status_code != httpx2.codes.ACCEPTED:
            raise _refusal(answer)
        _log.info("sms_sent", outbox_id=message.id, parts=len(made.parts), alphabet=made.alphabet)

    # POST /cgi-bin/sendsms HTTP/1.1
    # X-Kannel-Username: callgate
    # X-Kannel-Password: …
    # X-Kannel-From: +12025550143
    # X-Kannel-To: +12125550101
    # X-Kannel-Coding: 0
    # X-Kannel-DLR-Mask: 19
    # X-Kannel-DLR-Url: http://127.0.0.1:8080/sms/kannel/SECRET/report?message=msg_01J9…&dlr=%d…
    # Content-Type: text/plain; charset=UTF-8
    #
    # Calling mom. Your phone rings now.
    def _headers(self, message: Outgoing, coding: str) -> dict[str, str]:
        headers = {
            "X-Kannel-Username": self._settings.username,
            "X-Kannel-Password": self._settings.password.get_secret_value(),
            "X-Kannel-From": self._settings.from_number,
            "X-Kannel-To": message.address,
            "X-Kannel-Coding": coding,
            "X-Kannel-SMSC": self._settings.smsc,
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if self._settings.report_url:
            headers["X-Kannel-DLR-Mask"] = str(_DLR_MASK)
            headers["X-Kannel-DLR-Url"] = self._report_url(message)
        return {name: value for name, value in headers.items() if value}

    def _report_url(self, message: Outgoing) -> str:
        """Return where the report goes; smsbox fills `%d` and `%I` in, so real `%` are doubled."""
        fields = urlencode({"message": message.id, "to": message.address})
        known = f"{self._settings.report_url.rstrip('/')}{path_of(self._settings)}/report?{fields}"
        return f"{known.replace('%', '%%')}&dlr=%d&id=%I"


def _refusal(answer: httpx2.Response) -> DeliveryError:
    said = answer.text[:80]
    for (status, beginning), later in _SENDSMS_REFUSALS.items():
        if answer.status_code == status and said.startswith(beginning):
            return DeliveryError(f"sendsms: {said}", retryable=later)
    return DeliveryError(f"sendsms: {answer.status_code} {said}", retryable=True)
