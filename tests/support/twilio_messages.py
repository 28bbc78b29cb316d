"""Twilio as a text message gateway meets it: Messages.json with a memory, and signed webhooks.

Signatures are made by Twilio's own package, so that ours are checked against another's work.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from twilio.request_validator import RequestValidator

from gateway.http_listener import HttpListener

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "token-of-the-double"
NUMBER = "+12025550143"
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
_E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass
class TwilioMessages:
    """One account at Twilio.

    Attributes:
        url: scheme and host of the REST interface.
        webhook: what the account's number was told to call.
        sent: the messages that were taken, as the REST interface shows them.
        opted_out: numbers that sent STOP.
        failures: for coming posts: a status and Twilio's error code instead of taking them.
    """

    url: str = ""
    webhook: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    failures: list[tuple[int, int]] = field(default_factory=list)
    _incoming: int = 0

    def app(self) -> FastAPI:
        """Return the REST interface."""
        app = FastAPI()

        @app.post("/2010-04-01/Accounts/{account}/Messages.json")
        async def create(account: str, request: Request) -> JSONResponse:
            given = httpx2.BasicAuth(ACCOUNT, TOKEN)
            expected = next(given.sync_auth_flow(httpx2.Request("GET", self.url)))
            if request.headers.get("authorization") != expected.headers["authorization"]:
                return _error(401, 20003)
            if account != ACCOUNT:
                return _error(404, 20404)
            async with request.form() as form:
                said = {name: str(value) for name, value in form.items()}
            return self._create(said)

        return app

    def _create(self, said: dict[str, str]) -> JSONResponse:
        if self.failures:
            return _error(*self.failures.pop(0))
        code = self._refusal(said)
        if code:
            return _error(400, code)
        message = {
            "sid": f"SM{len(self.sent) + 1:032x}",
            "account_sid": ACCOUNT,
            "to": said["To"],
            "from": said.get("From", NUMBER),
            "body": said["Body"],
            "status": "queued",
            "num_segments": "1",
            "error_code": None,
            "callback": said.get("StatusCallback", ""),
        }
        self.sent.append(message)
        return JSONResponse(message, 201)

    def _refusal(self, said: dict[str, str]) -> int:
        """Return Twilio's code of what is wrong, 0 when nothing is."""
        if not _E164.fullmatch(said.get("To", "")):
            return 21211
        if "From" not in said and "MessagingServiceSid" not in said:
            return 21603
        if not said.get("Body"):
            return 21619
        if len(said["Body"]) > 1600:
            return 21617
        return 21610 if said["To"] in self.opted_out else 0

    async def text(self, sender: str, body: str, sid: str = "") -> httpx2.Response:
        """Tell the webhook that somebody sent a text; STOP and START are obeyed first."""
        word = body.strip().upper()
        if word in STOP_WORDS:
            self.opted_out.add(sender)
        if word in START_WORDS:
            self.opted_out.discard(sender)
        self._incoming += 1
        fields = {
            "MessageSid": sid or f"SM{self._incoming:032x}",
            "AccountSid": ACCOUNT,
            "From": sender,
            "To": NUMBER,
            "Body": body,
            "NumMedia": "0",
            "FromZip": "",
            "SmsStatus": "received",
        }
        return await self.post(self.webhook, fields)

    async def report(self, index: int, status: str, error_code: int = 0) -> httpx2.Response:
        """Tell what became of a message that was taken."""
        message = self.sent[index]
        message["status"] = status
        fields = {"MessageSid": message["sid"], "MessageStatus": status, "To": message["to"]}
        if error_code:
            fields["ErrorCode"] = str(error_code)
        return await self.post(message["callback"], fields)

    async def post(self, url: str, fields: dict[str, str]) -> httpx2.Response:
        """Post a signed webhook."""
        signature = RequestValidator(TOKEN).compute_signature(url, fields)
        async with httpx2.AsyncClient(timeout=20) as client:
            return await client.post(url, data=fields, headers={"X-Twilio-Signature": signature})

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["TwilioMessages"]:
        """Serve the REST interface on loopback."""
        listener = HttpListener("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.port}"
        await listener.start(self.app())
        try:
            yield self
        finally:
            await listener.stop()


def _error(status: int, code: int) -> JSONResponse:
    said = {"code": code, "message": f"error {code}", "more_info": "", "status": status}
    return JSONResponse(said, status)
