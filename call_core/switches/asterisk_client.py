"""A small client of Asterisk's REST interface and of its stream of events (ARI, Asterisk 22)."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx2
from httpx2.websockets import HTTPXWSException

from call_core.switches.asterisk_dial import Originate

LONGEST_EVENT_BYTES: Final = 1_048_576
MOST_EVENTS_WAITING: Final = 8_192
KEEPALIVE_S: Final = 10.0
CONNECTIONS: Final = 32

Answer = Mapping[str, Any]


class AriError(ConnectionError):
    """ARI did not answer, or answered what it should not; whether it acted is not known."""


class AriRefused(Exception):
    """ARI said no.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status} {words}")
        self.status = status


class AriClient:
    """Requests to one Asterisk.

    Args:
        url: as `http://127.0.0.1:8088/ari`.
        user, password: of `ari.conf`.
        timeout_s: how long one answer may take.
        transport: instead of the network, for tests.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        timeout_s: float = 5.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._client = httpx2.AsyncClient(
            auth=(user, password),
            timeout=timeout_s,
            limits=httpx2.Limits(
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=None,
            ),
            transport=transport,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def events(self, app: str) -> AsyncIterator[AsyncIterator[Answer]]:
        """Open the stream of an application's events.

        Raises:
            AriError: it cannot be opened, or broke.
        """
        try:
            async with self._client.websocket(
                f"ws{self._url.removeprefix('http')}/events",
                params={"app": app, "subscribeAll": "false"},
                max_message_size_bytes=LONGEST_EVENT_BYTES,
                queue_size=MOST_EVENTS_WAITING,
                keepalive_ping_interval_seconds=KEEPALIVE_S,
                keepalive_ping_timeout_seconds=KEEPALIVE_S,
            ) as session:

                async def read() -> AsyncIterator[Answer]:
                    while True:
                        yield json.loads(await session.receive_text())

                yield read()
        except (HTTPXWSException, httpx2.HTTPError, OSError, ValueError, ExceptionGroup) as error:
            raise AriError(f"events of {app}: {_first(error)!r}") from error

    async def originate(self, order: Originate) -> None:
        """Have a channel made and rung.

        Raises:
            AriError: nobody knows whether it was made.
            AriRefused: it was not; 409 says that there is one of that name.
        """
        body = {"variables": dict(order.variables)}
        await self._ask("POST", ("channels", order.channel_id), order.query(), body)

    async def hang_up(self, channel_id: str, cause: int) -> None:
        """End a channel."""
        await self._do("DELETE", ("channels", channel_id), {"reason_code": str(cause)})

    async def set_variable(self, channel_id: str, name: str, value: str) -> bool:
        """Set a channel variable; False when there is no such channel.

        Raises:
            AriError: not set, because the channel is in no application (yet).
        """
        path = ("channels", channel_id, "variable")
        try:
            await self._ask("POST", path, {"variable": name, "value": value}, None)
        except AriRefused as refused:
            if refused.status == HTTPStatus.CONFLICT:
                raise AriError(f"channel {channel_id} cannot be set yet") from refused
            return False
        return True

    async def global_variable(self, name: str) -> str:
        """Return a variable of the whole Asterisk, "" when there is none."""
        try:
            said = await self._ask("GET", ("asterisk", "variable"), {"variable": name}, None)
        except AriRefused:
            return ""
        return str(said.get("value", ""))

    async def set_global(self, name: str, value: str) -> None:
        """Set a variable of the whole Asterisk."""
        path = ("asterisk", "variable")
        await self._do("POST", path, {"variable": name, "value": value})

    async def channel(self, channel_id: str) -> Answer | None:
        """Return one channel, None when there is none."""
        try:
            found: Answer = await self._ask("GET", ("channels", channel_id), {}, None)
        except AriRefused:
            return None
        return found

    async def channels(self) -> Sequence[Answer]:
        """Return every channel, whoever made it."""
        found: Sequence[Answer] = await self._ask("GET", ("channels",), {}, None)
        return found

    async def bridges(self) -> Sequence[Answer]:
        """Return every bridge."""
        found: Sequence[Answer] = await self._ask("GET", ("bridges",), {}, None)
        return found

    async def mute(self, channel_id: str, *, muted: bool) -> None:
        """Stop or let through what comes in from a channel."""
        method = "POST" if muted else "DELETE"
        await self._do(method, ("channels", channel_id, "mute"), {"direction": "in"})

    async def ring(self, channel_id: str, *, ringing: bool) -> None:
        """Let a channel hear the ringing tone, or not any more."""
        await self._do("POST" if ringing else "DELETE", ("channels", channel_id, "ring"), {})

    async def play(self, channel_id: str, playback_id: str, media: str) -> bool:
        """Play one thing to a channel; False when it cannot be played there."""
        path = ("channels", channel_id, "play", playback_id)
        return await self._do("POST", path, {"media": media})

    async def stop_playing(self, playback_id: str) -> None:
        """End a playback."""
        await self._do("DELETE", ("playbacks", playback_id), {})

    async def make_bridge(self, bridge_id: str) -> None:
        """Make a bridge for two or for many; there may be one."""
        await self._do("POST", ("bridges", bridge_id), {"type": "mixing,proxy_media"})

    async def add(self, bridge_id: str, channel_id: str) -> int:
        """Put a channel into a bridge; return HTTP's status, below 400 when it is there."""
        query = {"channel": channel_id, "inhibitConnectedLineUpdates": "true"}
        try:
            await self._ask("POST", ("bridges", bridge_id, "addChannel"), query, None)
        except AriRefused as refused:
            return refused.status
        return HTTPStatus.NO_CONTENT

    async def drop_bridge(self, bridge_id: str) -> None:
        """Remove a bridge."""
        await self._do("DELETE", ("bridges", bridge_id), {})

    async def subscribe(self, app: str, source: str) -> bool:
        """Have events of an endpoint, as `endpoint:PJSIP/main`; False when there is none."""
        path = ("applications", app, "subscription")
        return await self._do("POST", path, {"eventSource": source})

    async def only(self, app: str, kinds: Sequence[str]) -> None:
        """Have no other kinds of events."""
        body = {"allowed": [{"type": kind} for kind in kinds]}
        await self._ask("PUT", ("applications", app, "eventFilter"), {}, body)

    async def ping(self) -> str:
        """Return the time at Asterisk, as it writes it."""
        said = await self._ask("GET", ("asterisk", "ping"), {}, None)
        return str(said["timestamp"])

    async def _do(self, method: str, path: Sequence[str], query: Mapping[str, str]) -> bool:
        """Ask for something where "no" means that what it is about is gone; return yes or no."""
        try:
            await self._ask(method, path, query, None)
        except AriRefused:
            return False
        return True

    async def _ask(
        self,
        method: str,
        path: Sequence[str],
        query: Mapping[str, str],
        body: Mapping[str, object] | None,
    ) -> Any:  # noqa: ANN401  (JSON)
        where = "/".join(quote(part, safe="") for part in path)
        try:
            answer = await self._client.request(
                method, f"{self._url}/{where}", params=dict(query), json=body
            )
            if answer.status_code < HTTPStatus.BAD_REQUEST:
                return answer.json() if answer.content else {}
        except (httpx2.HTTPError, OSError, ValueError) as error:
            raise AriError(f"{method} {where}: {error!r}") from error
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise AriError(f"{method} {where}: ARI knows neither this user nor the password")
        raise AriRefused(answer.status_code, answer.text[:200])


def _first(error: Exception) -> Exception:
    """Return what broke; the socket's own tasks wrap it in groups."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
