"""The door: every request of every channel, the operator's included, comes through `Core.handle`.

Reads for pages and the API pass here too: a channel knows one object (`contracts.CallCore`).
"""

import asyncio
import contextlib
import random
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence

import structlog
from pwdlib import PasswordHash
from sqlalchemy import bindparam, select

from call_core import numbering, queries
from call_core.administration import AddToken
from call_core.contracts import (
    AddressView,
    BalanceView,
    CallView,
    Cdr,
    Clock,
    DeliveryReport,
    DirectoryEntry,
    Page,
    PhoneView,
    Principal,
    RequestView,
    TokenView,
)
from call_core.engine.engine import Engine
from call_core.engine.shard import ShardTaken
from call_core.errors import CallCoreError, Overloaded, ParseError
from call_core.ids import new_secret
from call_core.kept_work import KeptWork, request_id_of
from call_core.outcomes import Outcome, Refused
from call_core.password_tries import PasswordTries
from call_core.requests import Evidence, Request
from call_core.storage import access_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.store import Priority, Store
from call_core.storage.transaction import Tx
from call_core.units import access, gate, joining
from call_core.units.gate import target_texts
from call_core.units.handle import Handled, handle
from call_core.units.inbox import Kept

log = structlog.get_logger(__name__)

TOKEN_PREFIX = "cg_"  # noqa: S105  (tells people and secret scanners what it is)
_PASSWORDS_AT_ONCE = 2
MOST_PASSWORDS_WAITING = 40
"""Of argon2id on two threads: some seconds' work; more is refused as overload."""
_WATCH_POLL_S = 1.0
_LONGEST_LIST = 200
CLAIMED = select_statement(
    select(tables.requests.c.id).where(tables.requests.c.id == bindparam("id")),
    name="claimed_request",
)


class Core:
    """The call core as channels see it; implements `contracts.CallCore`.

    Args:
        store, engine, wall, call: opened by the wiring.
        rng: bits for secrets; the system's source in production.

    Attributes:
        observe: told every request: its id, its answer (None when it failed) and when it began, by
            the monotonic clock.
    """

    observe: Callable[[Request, str, Outcome | None, int], None] | None = None

    def __init__(
        self, store: Store, engine: Engine, wall: Clock, call: Clock, rng: random.Random
    ) -> None:
        self.store = store
        self.engine = engine
        self._wall = wall
        self._call = call
        self._rng = rng
        self._house = engine.house
        kept = KeptWork(store, engine, self._follow, self._observed)
        engine.inbox.do, engine.inbox.give_up = kept.do, kept.give_up
        self._passwords = PasswordHash.recommended()
        self._password_places = asyncio.Semaphore(_PASSWORDS_AT_ONCE)
        self._passwords_waiting = 0
        self._tries = PasswordTries()
        self._stopping = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the engine."""
        # Made once from every country's data, 0.1 s: not while the first caller waits.
        numbering.emergency_numbers()
        await self.engine.start()

    async def stop(self) -> None:
        """End open streams, finish what is under way, close the database."""
        self.end_streams()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.engine.stop()
        await self.store.close()

    def end_streams(self) -> None:
        """Let every `call_events` end, so that a server can shut down."""
        self._stopping.set()

    # --- requests -------------------------------------------------------------------------------

    async def handle(self, request: Request) -> Outcome:
        """Do what was asked, durably, and return the answer.

        An emergency number anywhere in the command is answered first, without the database.

        Raises:
            CallCoreError: nothing was committed, or with `CommitUnknown` nobody can tell; the same
                request may be sent again.
        """
        began_ns = time.monotonic_ns()
        emergency = emergency_in(request)
        if emergency is not None:
            self._note_emergency(request, emergency)
            self._observed(request, "", emergency, began_ns)
            return emergency
        if self.engine.taken_over:
            raise ShardTaken("Another node has taken over; it takes requests now.")
        stamp = self.engine.driver.stamp()
        outcome: Outcome | None = None
        key = request_id_of(stamp)
        try:
            with structlog.contextvars.bound_contextvars(request_id=key, channel=request.channel):
                handled = await self.store.run(
                    handle,
                    self._house,
                    request,
                    stamp,
                    self.engine.driver,
                    priority=Priority.NEW,
                    key=key,
                )
                self._follow(handled)
            outcome = handled.outcome
        finally:
            self._observed(request, key, outcome, began_ns)
        return outcome

    async def accept(self, request: Request) -> Outcome | None:
        """Do what was asked, or when there is much to do keep it durably and do it in a moment.

        For channels whose answers go to the sender's address anyway.

        Returns:
            The answer; None for a promise.

        Raises:
            CallCoreError: as `handle`; of a promise too, nothing was committed.
        """
        inbox = self.engine.inbox
        at_once = request.in_session or self.engine.taken_over or emergency_in(request) is not None
        if at_once or not inbox.is_needed:
            with inbox.direct():
                return await self.handle(request)
        match await inbox.keep(request):
            case Kept.OTHER_CONTENT:
                return Refused("same_id_other_content")
            case Kept.NOT:
                return await self.handle(request)
            case _:
                return None

    def _observed(
        self, request: Request, request_id: str, outcome: Outcome | None, began_ns: int
    ) -> None:
        if self.observe is not None:
            self.observe(request, request_id, outcome, began_ns)

    def _follow(self, handled: Handled) -> None:
        call_id = getattr(handled.outcome, "call_id", "")
        log.info(
            "request.handled",
            code=handled.outcome.code,
            repeated=handled.repeated,
            call_id=call_id,
        )
        if handled.repeated and call_id:
            # The first answer may have been lost after its commit, and the call with it.
            self.engine.driver.check(call_id)
        if handled.launched is None:
            self.engine.scheduler.wake()
            self.engine.outbox.wake()

    def _note_emergency(self, request: Request, answer: Refused) -> None:
        """Write down an emergency answer, and send it; the one in the session does not wait."""
        task = asyncio.get_running_loop().create_task(self._write_emergency(request, answer))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _write_emergency(self, request: Request, answer: Refused) -> None:
        try:
            await self.store.run(gate.note_emergency, request, answer, self.engine.driver.stamp())
        except CallCoreError:
            log.warning("emergency.not_written", channel=request.channel)
            return
        self.engine.outbox.wake()

    async def report_delivery(self, report: DeliveryReport) -> None:
        """Note what became of a message; undelivered, it goes to the user's next address."""
        await self.engine.outbox.report(report)

    # --- signing in -----------------------------------------------------------------------------

    async def start_sign_in(self, address: str, now_wall_ms: int) -> None:  # noqa: ARG002  (contract)
        """Send a one-time code to a verified mail address; says nothing about unknown ones."""
        await self.store.run(access.start_sign_in, address, self.engine.driver.stamp())
        self.engine.outbox.wake()

    async def sign_in(self, address: str, secret: str, now_wall_ms: int) -> str | None:  # noqa: ARG002  (contract)
        """Return a fresh session token for a right code or password, else None."""
        stamp = self.engine.driver.stamp()
        user_id = await self.store.run(access.use_code, address, secret.strip(), stamp)
        if user_id is None:
            user_id = await self._user_of_password(address, secret)
        if user_id is None:
            return None
        token = new_secret(self._rng, 32)
        await self.store.run(access.open_session, user_id, address, access.hash_of(token), stamp)
        return token

    async def verify_password(self, name: str, password: str) -> Principal | None:
        """Return whose password it is; `name` is a mail address or user name."""
        user_id = await self._user_of_password(name, password)
        if user_id is None:
            return None
        return await self.store.read(access.principal, user_id, access.PERSON_SCOPES, "", name)

    async def _user_of_password(self, name: str, password: str) -> str | None:
        """Return whose password it is; None too while the name is refused for guessing."""
        found = await self.store.read(access.password_candidates, name)
        async with self._password_place():
            if self._tries.refused(name, self._wall.now_ms()):
                return None
            for user_id, stored in found:
                if await asyncio.to_thread(self._passwords.verify, password, stored):
                    self._tries.succeeded(name)
                    return user_id
            if not found:
                # An unknown name takes as long as a wrong password: names cannot be probed.
                await asyncio.to_thread(self._passwords.verify, password, self._unknown_hash)
            self._tries.failed(name, self._wall.now_ms())
        return None

    @contextlib.asynccontextmanager
    async def _password_place(self) -> AsyncIterator[None]:
        """Wait for one of the places; nobody waits behind more than `MOST_PASSWORDS_WAITING`."""
        if self._passwords_waiting >= MOST_PASSWORDS_WAITING:
            raise Overloaded("too many passwords wait to be looked at")
        self._passwords_waiting += 1
        try:
            await self._password_places.acquire()
        finally:
            self._passwords_waiting -= 1
        try:
            yield
        finally:
            self._password_places.release()

    @property
    def _unknown_hash(self) -> str:
        return (
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"
            "$Y2FsbGdhdGUtbm8tc3VjaC11c2VyLWhhc2gtMDAwMDA"
        )

    async def hash_password(self, password: str) -> str:
        """Return the form in which a password is stored (argon2id)."""
        async with self._password_place():
            return await asyncio.to_thread(self._passwords.hash, password)

    async def principal_of_session(self, token: str, now_wall_ms: int) -> Principal | None:
        """Return who a session token belongs to, None when unknown, expired or revoked."""
        return await self.store.read(
            access.principal_of_session, access.hash_of(token), now_wall_ms
        )

    async def principal_of_token(self, token: str, now_wall_ms: int) -> Principal | None:
        """Return who an API token belongs to, with its scopes."""
        found = await self.store.read(access.token_row, access.hash_of(token), now_wall_ms)
        if found is None:
            return None
        token_id, who, touch = found
        if touch:
            # When a token was last used is nice to know; that is no reason to turn its user away.
            with contextlib.suppress(CallCoreError):
                await self.store.run(access.touch_token, token_id, now_wall_ms)
        return who

    async def device(self, device_id: str, now_wall_ms: int) -> tuple[Principal, bytes] | None:
        """Return who a device belongs to, and sha256 of its token; None when it is none."""
        return await self.store.read(access.device, device_id, now_wall_ms)

    async def join_device(self, code: str, label: str, peer: str) -> tuple[str, str, str] | None:
        """Return whose device, its name and its key, shown once; None when the code is none."""
        secret = TOKEN_PREFIX + new_secret(self._rng, 32)
        stamp, hashed = self.engine.driver.stamp(), access.hash_of(secret)
        found = await self.store.run(joining.join_device, code, label, hashed, peer, stamp)
        if found is None:
            return None
        self.engine.outbox.wake()
        return *found, secret

    async def sign_out(self, token: str) -> None:
        """Revoke a session."""
        await self.store.run(access.sign_out, access.hash_of(token), self._wall.now_ms())

    async def create_token(
        self,
        who: Principal,
        label: str,
        scopes: Sequence[str],
        now_wall_ms: int,
        expires_wall_ms: int | None = None,
    ) -> str:
        """Return a new API token's secret, shown once.

        Raises:
            PermissionError: `who` may not make such a token; nothing was made.
        """
        secret = TOKEN_PREFIX + new_secret(self._rng, 32)
        command = AddToken(
            who.user_id, access.hash_of(secret), label, tuple(scopes), expires_wall_ms
        )
        outcome = await self.handle(
            Request(
                channel="web",
                id_space="web",
                external_id=f"token:{access.hash_of(secret)[:32]}",
                sender="",
                evidence=Evidence.PROVEN,
                received_wall_ms=now_wall_ms,
                command=command,
                user_id=who.user_id,
                scopes=who.scopes,
                in_session=True,
            )
        )
        if isinstance(outcome, Refused):
            raise PermissionError(outcome.code)
        return secret

    async def revoke_token(self, who: Principal, token_id: str) -> bool:
        """End one of the user's tokens; False when it is not theirs."""
        return await self.store.run(_revoke_token, who.user_id, token_id, self._wall.now_ms())

    # --- reading --------------------------------------------------------------------------------

    async def calls(self, who: Principal, limit: int, cursor: str) -> Page[CallView]:
        """Return calls, newest first, running and scheduled ones included."""
        page = await self.store.read(
            queries.call_page, who, _bounded(limit), cursor, self._call.now_ms(), self._house.rules
        )
        return Page(tuple(self._fresh(view) for view in page.items), page.next)

    async def call(self, who: Principal, call_id_or_ref: str) -> CallView | None:
        """Return one call, None when there is none that `who` may see."""
        view = await self.store.read(self._view, who, call_id_or_ref)
        return None if view is None else self._fresh(view)

    def _view(self, tx: Tx, who: Principal, name: str) -> CallView | None:
        call = queries.find_call(tx, who, name)
        if call is None:
            return None
        return queries.view_of(tx, call, self._call.now_ms(), self._house.rules)

    def _fresh(self, view: CallView) -> CallView:
        """Show a running call as its driver has it: ringing and bridging are known only there."""
        live = self.engine.driver.live.get(view.id)
        if live is None or live.call.version < view.version:
            return view
        return queries.show(live.call, view.user_name, self._call.now_ms(), self._house.rules)

    async def call_events(self, who: Principal, call_id: str) -> AsyncIterator[CallView]:
        """Yield the call at once and again after every change, and each second while it costs."""
        watch = self.engine.driver.watch
        event = watch.subscribe(call_id)
        try:
            while not self._stopping.is_set():
                event.clear()
                view = await self.call(who, call_id)
                if view is None:
                    return
                yield view
                if view.state == "ENDED":
                    return
                await self._changed(event)
        finally:
            watch.unsubscribe(call_id, event)

    async def _changed(self, event: asyncio.Event) -> None:
        waiters = [
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self._stopping.wait()),
        ]
        try:
            await asyncio.wait(waiters, timeout=_WATCH_POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)

    async def cdrs(self, who: Principal, limit: int, cursor: str, call_id: str) -> Page[Cdr]:
        """Return records, newest first; `call_id` "" for all."""
        return await self.store.read(queries.cdr_page, who, _bounded(limit), cursor, call_id)

    async def explain(self, who: Principal, call_id_or_ref: str) -> Sequence[str]:
        """Return the arithmetic of a bill, line by line."""
        page = await self.cdrs(who, _LONGEST_LIST, "", call_id_or_ref)
        return [line for cdr in page.items for line in (*cdr.explanation.splitlines(), "")][:-1]

    async def balance(self, who: Principal) -> BalanceView:
        """Return the customer's money."""
        day = self.engine.driver.stamp().day
        return await self.store.read(queries.balance, who, day)

    async def directory(self, who: Principal, prefix: str) -> Sequence[DirectoryEntry]:
        """Return names in order, the user's own before the company's."""
        return await self.store.read(queries.directory, who, prefix)

    async def phones(self, who: Principal) -> Sequence[PhoneView]:
        """Return the user's own phones, the default first."""
        return await self.store.read(queries.phones, who)

    async def addresses(self, who: Principal) -> Sequence[AddressView]:
        """Return the user's own addresses, then devices."""
        return await self.store.read(queries.addresses, who)

    async def tokens(self, who: Principal) -> Sequence[TokenView]:
        """Return the user's API tokens."""
        return await self.store.read(queries.tokens, who)

    async def request(self, who: Principal, request_id: str) -> RequestView | None:
        """Return what became of a request."""
        return await self.store.read(queries.request, who, request_id)


def emergency_in(request: Request) -> Refused | None:
    """Return the fixed answer when any target of a request is an emergency number anywhere.

    No database and no user is needed for it. The numbers of two digits, which are ordinary
    short numbers elsewhere, are looked for again once the user's country is known.
    """
    texts = target_texts(request.command)
    unread = request.command
    if isinstance(unread, ParseError) and unread.code == "lookalike_digits":
        # What cannot be read may still be a cry for help: `call 911` in full-width digits.
        texts = [request.text, *request.text.split()]
    for text in texts:
        if numbering.is_emergency(_ascii_digits(text)):
            return Refused("emergency", fields={"digits": _ascii_digits(text).strip()})
    return None


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() else letter
        for letter in unicodedata.normalize("NFKC", text)
    )


def is_claimed(tx: Tx, request_id: str) -> bool:
    """Whether the unit that was to claim a request under this id is committed (`Store.open`)."""
    return tx.one(CLAIMED, id=request_id) is not None


def _bounded(limit: int) -> int:
    return max(1, min(limit, _LONGEST_LIST))


def _revoke_token(tx: Tx, user_id: str, token_id: str, now_wall_ms: int) -> bool:
    revoked = tx.run(
        access_rows.REVOKE_TOKEN, key_id=token_id, key_user_id=user_id, now=now_wall_ms
    )
    return revoked == 1
