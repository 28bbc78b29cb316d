"""A core for tests of channels: keeps what it was asked, answers as it is told, claims ids.

It stands behind the `CallCore` Protocol only; nothing of the real core's rules is in it.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from call_core.administration import AddSender
from call_core.commands import Call, Conference, HangUp
from call_core.contracts import (
    AddressView,
    BalanceView,
    CallView,
    Cdr,
    DeliveryReport,
    DirectoryEntry,
    LegView,
    Page,
    PartyView,
    PhoneView,
    Principal,
    RequestView,
    TokenView,
)
from call_core.errors import CallCoreError, ParseError
from call_core.outcomes import Done, Launched, Outcome, Refused, Told
from call_core.requests import Request

ItemT = TypeVar("ItemT")

NOW_MS = 1_790_000_000_000
ANNA = Principal(
    user_id="usr_anna",
    user_name="Anna",
    customer_id="cus_acme",
    customer_name="Acme",
    role="member",
    timezone="Europe/London",
    country="GB",
    currency="USD",
    scopes=("read", "call"),
    session_id="ses_1",
    address="anna@example.test",
)
PASSWORD = "correct horse"
CODE = "482913"
READ_TOKEN = "token-that-may-read"
CALL_TOKEN = "token-that-may-call"
ADMIN_TOKEN = "token-that-may-administer"


def a_leg(state: str, **changes: Any) -> LegView:  # noqa: ANN401  (fields by name)
    """Return a first attempt in `state`."""
    leg = LegView(1, state, NOW_MS, NOW_MS + 1000, None, None, "", 0)
    return replace(leg, **changes)


def a_call(
    call_id: str = "call_1",
    ref: str = "4F7",
    **changes: Any,  # noqa: ANN401  (fields by name)
) -> CallView:
    """Return a running call from Anna's cell to mom."""
    legs = (a_leg("BRIDGED"),)
    parties = (
        PartyView(
            0, "A", "cell", "+442079460999", "BRIDGED", muted=False, legs=legs, cost_micros=1
        ),
        PartyView(1, "B", "mom", "+442079460018", "BRIDGED", muted=False, legs=legs, cost_micros=2),
    )
    call = CallView(
        id=call_id,
        ref=ref,
        kind="call",
        state="CONNECTED",
        reason="",
        channel="web",
        user_id=ANNA.user_id,
        user_name=ANNA.user_name,
        title="",
        billing_code="ACME-12",
        private=False,
        locked=False,
        created_wall_ms=NOW_MS,
        due_call_ms=None,
        timezone="Europe/London",
        ended_call_ms=None,
        paid_until_call_ms=None,
        cost_micros=60_000,
        currency="USD",
        parties=parties,
        version=1,
    )
    return replace(call, **changes)


def a_record(record_id: str = "cdr_1", call_id: str = "call_1") -> Cdr:
    """Return the finished record of the leg to mom."""
    return Cdr(
        id=record_id,
        call_id=call_id,
        ref="4F7",
        party=1,
        attempt=1,
        leg="B",
        channel="web",
        request_id="req_1",
        user="Anna",
        from_number="+442079460999",
        to_number="+442079460018",
        destination="London",
        prefix="4420",
        rate_id="rate_1",
        setup_call_ms=NOW_MS,
        answer_call_ms=NOW_MS + 5_500,
        end_call_ms=NOW_MS + 65_500,
        end_estimated=False,
        duration_s=60,
        billable_s=60,
        price_micros_per_minute=40_000,
        connect_fee_micros=0,
        charge_micros=40_000,
        tax_micros=0,
        total_micros=40_000,
        currency="USD",
        buy_cost_micros=12_500,
        buy_currency="USD",
        billing_code="=ACME+12",
        hangup_cause="busy",
        hangup_by="B",
        switch="simulator",
        trunk="t1",
        explanation="60 s at 0.04 = 0.04",
    )


@dataclass
class ScriptedCore:
    """The core that a test sets up by its fields.

    Attributes:
        answers: outcomes for coming commands, first come first served; when none is left, calls
            launch, hang-ups are done, text that could not be read is refused, the rest is told.
        asked: every request that was not a repeat.
        taken: views that followers of calls have taken.
        promises: whether `accept` promises instead of answering.
        fault: what `handle` and the reads of calls raise instead of working.
    """

    answers: list[Outcome] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    promises: bool = False
    fault: Exception | None = None
    views: dict[str, CallView] = field(default_factory=dict)
    records: list[Cdr] = field(default_factory=list)
    entries: list[DirectoryEntry] = field(default_factory=list)
    own_phones: list[PhoneView] = field(default_factory=list)
    joining: list[str] = field(default_factory=list)
    own_addresses: list[AddressView] = field(default_factory=list)
    own_tokens: list[TokenView] = field(default_factory=list)
    sessions: dict[str, Principal] = field(default_factory=dict)
    mailed: list[str] = field(default_factory=list)
    anna: Principal = ANNA
    taken: int = 0
    reports: list[DeliveryReport] = field(default_factory=list)
    _claims: dict[tuple[str, str], tuple[str, Outcome]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: Request) -> Outcome:
        """Claim the id, answer, remember."""
        if self.fault is not None:
            raise self.fault
        key = (request.id_space, request.external_id)
        if key in self._claims:
            seen, outcome = self._claims[key]
            return outcome if seen == request.fingerprint else Refused("same_id_other_content")
        self.asked.append(request)
        outcome = self.answers.pop(0) if self.answers else self._usual(request)
        self._claims[key] = (request.fingerprint, outcome)
        return outcome

    async def accept(self, request: Request) -> Outcome | None:
        """Answer, or with `promises` keep it as the core does in a burst."""
        if not self.promises:
            return await self.handle(request)
        self.asked.append(request)
        return None

    def _usual(self, request: Request) -> Outcome:
        match request.command:
            case ParseError() as error:
                return Refused(error.code)
            case Call() | Conference():
                call = a_call(f"call_{len(self.views) + 1}", f"{len(self.views) + 2}F7")
                self.views[call.id] = call
                return Launched("call_launched", call.ref, call.id)
            case HangUp(ref=ref):
                call_id = next(view.id for view in self.views.values() if view.ref == ref)
                self.change(call_id, state="ENDED", reason="money")
                return Done("hung_up", ref or "", call_id)
            case _:
                return Told("next")

    def change(self, call_id: str, **changes: Any) -> None:  # noqa: ANN401  (fields by name)
        """Change a call, and wake those who follow it."""
        view = self.views[call_id]
        changed = replace(view, version=view.version + 1, **changes)
        self.views[call_id] = changed
        self._changed.set()
        self._changed = asyncio.Event()

    async def report_delivery(self, report: DeliveryReport) -> None:
        """Keep what became of a message."""
        if self.fault is not None:
            raise self.fault
        self.reports.append(report)

    async def start_sign_in(self, address: str, now_wall_ms: int) -> None:
        """Remember whom a code was mailed to."""
        del now_wall_ms
        if address == ANNA.address:
            self.mailed.append(address)

    async def sign_in(self, address: str, secret: str, now_wall_ms: int) -> str | None:
        """Take Anna's code or password."""
        del now_wall_ms
        if address != ANNA.address or secret not in {CODE, PASSWORD}:
            return None
        token = f"session-{len(self.sessions)}"
        self.sessions[token] = self.anna
        return token

    async def verify_password(self, name: str, password: str) -> Principal | None:
        """Take Anna's password."""
        return self.anna if (name, password) == (ANNA.address, PASSWORD) else None

    async def principal_of_session(self, token: str, now_wall_ms: int) -> Principal | None:
        """Return whose session it is."""
        del now_wall_ms
        if self.fault is not None:
            raise self.fault
        return self.sessions.get(token)

    async def principal_of_token(self, token: str, now_wall_ms: int) -> Principal | None:
        """Return Anna with the scopes of one of her tokens."""
        del now_wall_ms
        scopes = {READ_TOKEN: ("read",), CALL_TOKEN: ("read", "call")}
        scopes[ADMIN_TOKEN] = ("read", "call", "admin")
        hashed = hashlib.sha256(token.encode()).hexdigest()
        for each in self.asked:
            if isinstance(each.command, AddSender) and each.command.secret_hash == hashed:
                return self.anna
        return replace(self.anna, scopes=scopes[token]) if token in scopes else None

    async def device(self, device_id: str, now_wall_ms: int) -> tuple[Principal, bytes] | None:
        """Return Anna with the scopes of her two tokens, which are devices too."""
        for token in (READ_TOKEN, CALL_TOKEN):
            hashed = hashlib.sha256(token.encode())
            who = await self.principal_of_token(token, now_wall_ms)
            if who is not None and device_id and hashed.hexdigest().startswith(device_id):
                return who, hashed.digest()
        return None

    async def join_device(self, code: str, label: str, peer: str) -> tuple[str, str, str] | None:
        """Take Anna's code; keep where it came from."""
        self.joining.append(peer)
        return (ANNA.user_name, label, CALL_TOKEN) if code == CODE else None

    async def sign_out(self, token: str) -> None:
        """Forget a session."""
        self.sessions.pop(token, None)

    async def create_token(
        self,
        who: Principal,
        label: str,
        scopes: Sequence[str],
        now_wall_ms: int,
        expires_wall_ms: int | None = None,
    ) -> str:
        """Keep a token and return its secret."""
        del who
        name = f"tok_{len(self.own_tokens) + 1}"
        self.own_tokens.append(
            TokenView(name, label, tuple(scopes), now_wall_ms, expires_wall_ms, None)
        )
        return f"secret-of-{name}"

    async def revoke_token(self, who: Principal, token_id: str) -> bool:
        """Forget a token."""
        del who
        kept = [token for token in self.own_tokens if token.id != token_id]
        found = len(kept) < len(self.own_tokens)
        self.own_tokens = kept
        return found

    async def calls(self, who: Principal, limit: int, cursor: str) -> Page[CallView]:
        """Return calls by number; the cursor is the place in the list."""
        del who
        return _part(list(self.views.values()), limit, cursor)

    async def call(self, who: Principal, call_id_or_ref: str) -> CallView | None:
        """Return one call."""
        del who
        if isinstance(self.fault, CallCoreError):
            raise self.fault
        found = (v for v in self.views.values() if call_id_or_ref in {v.id, v.ref})
        return next(found, None)

    async def call_events(self, who: Principal, call_id: str) -> AsyncIterator[CallView]:
        """Yield a call now and after every `change`."""
        del who
        while True:
            changed, view = self._changed, self.views[call_id]
            yield view
            self.taken += 1
            if view.state == "ENDED":
                return
            await changed.wait()

    async def until_taken(self, views: int) -> None:
        """Return when followers have taken so many views and wait for the next change."""
        while self.taken < views:  # noqa: ASYNC110  (the followers do not say)
            await asyncio.sleep(0.001)

    async def cdrs(self, who: Principal, limit: int, cursor: str, call_id: str) -> Page[Cdr]:
        """Return records; the cursor is the place in the list."""
        del who
        found = [record for record in self.records if call_id in {"", record.call_id}]
        return _part(found, limit, cursor)

    async def explain(self, who: Principal, call_id_or_ref: str) -> Sequence[str]:
        """Return two lines of arithmetic."""
        del who, call_id_or_ref
        return ("60 s billed as 60 s", "1 min x $0.04 = $0.04")

    async def balance(self, who: Principal) -> BalanceView:
        """Return ten dollars, one of them held."""
        del who
        return BalanceView(
            "USD", "prepaid", 10_000_000, 1_000_000, 9_000_000, 0, 250_000, 20_000_000
        )

    async def directory(self, who: Principal, prefix: str) -> Sequence[DirectoryEntry]:
        """Return names that begin so."""
        del who
        return [entry for entry in self.entries if entry.name.startswith(prefix)]

    async def phones(self, who: Principal) -> Sequence[PhoneView]:
        """Return the phones."""
        del who
        return self.own_phones

    async def addresses(self, who: Principal) -> Sequence[AddressView]:
        """Return the addresses."""
        del who
        return self.own_addresses

    async def tokens(self, who: Principal) -> Sequence[TokenView]:
        """Return the tokens."""
        del who
        return self.own_tokens

    async def request(self, who: Principal, request_id: str) -> RequestView | None:
        """Return the only request that is known, `req_1`."""
        del who
        if request_id != "req_1":
            return None
        outcome = Launched("call_launched", "4F7", "call_1")
        return RequestView("req_1", "smtp", NOW_MS, "call mom", "call_1", outcome)


def _part(items: Sequence[ItemT], limit: int, cursor: str) -> Page[ItemT]:
    begin = int(cursor or 0)
    following = str(begin + limit) if begin + limit < len(items) else ""
    return Page(tuple(items[begin : begin + limit]), following)
