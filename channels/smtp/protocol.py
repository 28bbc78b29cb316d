"""One SMTP connection: aiosmtpd's protocol with limits that hold before anything is parsed.

RFC 5321 by aiosmtpd. Added here: connections in total and per peer are counted, a peer that sends
without end is cut off, passwords are checked by the core, and the look that aiosmtpd takes at every
attribute of itself (a third of a millisecond) is taken once instead of once per connection.
"""

import asyncio
import re
import ssl
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from call_core.contracts import CallCore
from channels.smtp import replies

COMMAND_LENGTH_LIMIT = 512  # octets with CRLF, RFC 5321 section 4.5.3.1.4
LINE_LENGTH_LIMIT = 1001  # octets with CRLF and a doubled dot, section 4.5.3.1.6
COMMAND_LIMIT = 100  # repeats of any one command in a connection
AUTH_LIMIT = 3
DRAIN_FACTOR = 16  # how many times the size limit is read only to be able to answer 552

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_PATH = re.compile(rf"<({_WORD}(?:\.{_WORD})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>((?: .*)?)")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one listener allows; see the settings of the smtp channel."""

    message_bytes: int
    recipients: int
    messages: int
    connections: int
    connections_per_peer: int
    idle_s: float


class Connections:
    """The connections that are open, in total and by peer."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._by_peer: Counter[str] = Counter()
        self.open: set[SmtpProtocol] = set()

    def enter(self, connection: "SmtpProtocol", peer: str) -> bool:
        """Count a connection in; False when it is one too many."""
        full = len(self.open) >= self._limits.connections
        if full or self._by_peer[peer] >= self._limits.connections_per_peer:
            return False
        self.open.add(connection)
        self._by_peer[peer] += 1
        return True

    def leave(self, connection: "SmtpProtocol", peer: str) -> None:
        """Count a connection out."""
        self.open.discard(connection)
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]


class SmtpProtocol(SMTP):
    """The first one made is the pattern; `connection` makes one per connection from it."""

    def __init__(
        self,
        handler: object,
        core: CallCore,
        limits: ConnectionLimits,
        *,
        hostname: str,
        tls: ssl.SSLContext | None,
        require_auth: bool,
        auth_without_tls: bool,
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=limits.message_bytes,
            hostname=hostname,
            ident="Callgate",
            tls_context=tls,
            timeout=limits.idle_s,
            auth_require_tls=not auth_without_tls,
            command_call_limit={
                "*": COMMAND_LIMIT,
                "AUTH": AUTH_LIMIT,
                "MAIL": limits.messages,
                "RCPT": limits.messages * (limits.recipients + 1),
                "DATA": limits.messages,
            },
            loop=asyncio.get_running_loop(),
        )
        self._auth_required = require_auth
        self._core = core
        self._limits = limits
        self._connections = Connections(limits)
        self._peer = ""
        self._counted = False
        self._received = 0

    @property
    def connections(self) -> Connections:
        """The connections that are open."""
        return self._connections

    def connection(self) -> Self:
        """Return a protocol for a new connection."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        asyncio.StreamReaderProtocol.__init__(
            made,
            asyncio.StreamReader(limit=LINE_LENGTH_LIMIT, loop=self.loop),
            client_connected_cb=made._cb_client_connected,
            loop=self.loop,
        )
        # aiosmtpd keeps this one on the class and lets every greeting of anybody raise it.
        made.command_size_limits = defaultdict(lambda: COMMAND_LENGTH_LIMIT)
        made._smtp_methods = {name: getattr(made, f"smtp_{name}") for name in self._smtp_methods}
        made._auth_methods = {
            name: kept._replace(method=getattr(made, kept.method.__name__))
            for name, kept in self._auth_methods.items()
        }
        return made

    # --- limits ---------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  (a plain or TLS transport)
        """Count the connection in, or turn it away; after STARTTLS it is the same connection."""
        if not self._counted:
            peer = transport.get_extra_info("peername")
            self._peer = str(peer[0]) if peer else ""
            if not self._connections.enter(self, self._peer):
                transport.write(f"{replies.TOO_MANY_CONNECTIONS}\r\n".encode())
                transport.close()
                return
            self._counted = True
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count the connection out."""
        if not self._counted:
            return
        self._counted = False
        self._connections.leave(self, self._peer)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Pass octets on; a line or a message without end is cut off."""
        if not self._counted:
            return
        self._received += len(data)
        if self._received > self._limits.message_bytes * DRAIN_FACTOR:
            self.dismiss(replies.ENDLESS)
            return
        super().data_received(data)

    def eof_received(self) -> bool | None:
        """Close; what is being handled goes on, only its answer is lost."""
        return super().eof_received() if self._counted else False

    def dismiss(self, reply: str) -> None:
        """Say a last word and close."""
        transport: Any = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(f"{reply}\r\n".encode())
            transport.close()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read a path; the standard library's parser stumbles over some that end too early.

        The common form is read by a pattern: that parser takes half a millisecond.
        """
        if plain := _PLAIN_PATH.fullmatch(arg):
            return plain[1], plain[2]
        try:
            address, options = super()._getaddr(arg)
        except (AttributeError, IndexError, RecursionError, ValueError):
            return None, None
        return address, options

    def _set_post_data_state(self) -> None:
        self._received = 0
        super()._set_post_data_state()  # type: ignore[no-untyped-call]

    # --- AUTH -----------------------------------------------------------------------------------

    def _authenticate(self, mechanism: str, auth_data: LoginPassword) -> AuthResult:  # noqa: ARG002  (aiosmtpd's signature)
        """Only carry the password to `_verified`: aiosmtpd's own hook cannot wait."""
        return AuthResult(success=True, auth_data=auth_data)

    async def auth_PLAIN(self, server: object, args: list[str]) -> AuthResult:  # noqa: N802  (aiosmtpd's name)
        """RFC 4616."""
        return await self._verified(await super().auth_PLAIN(server, args))

    async def auth_LOGIN(self, server: object, args: list[str]) -> AuthResult:  # noqa: N802  (aiosmtpd's name)
        """The older form, which many devices still use."""
        return await self._verified(await super().auth_LOGIN(server, args))

    async def _verified(self, claimed: AuthResult) -> AuthResult:
        """Return whose password it is, as the session's `auth_data`."""
        pair: Any = claimed.auth_data
        if not claimed.success:
            return claimed
        try:
            login, password = pair.login.decode(), pair.password.decode()
        except UnicodeDecodeError:
            return AuthResult(success=False, handled=False)
        try:
            principal = await self._core.verify_password(login, password)
        except Exception:  # noqa: BLE001  (whatever it was, a password may be right: never 535)
            return AuthResult(success=False, handled=False, message=replies.AUTH_LATER)
        return AuthResult(success=principal is not None, handled=False, auth_data=principal)
