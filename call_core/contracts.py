"""Protocols: what the core asks of a switch and a clock, and what a channel may ask of the core."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar, runtime_checkable

from call_core.outcomes import Outcome
from call_core.requests import Request

T = TypeVar("T")

# --- clocks -------------------------------------------------------------------------------------


class Clock(Protocol):
    """An instant, and how to wait for one. There are two: `call` (the switch's) and `wall`."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""

    async def sleep_until(self, at_ms: int) -> None:
        """Return when `now_ms()` has reached `at_ms`, at once when it has."""


# --- switches -----------------------------------------------------------------------------------


class Prompt(StrEnum):
    """What a switch can say to one leg."""

    ACCEPT = "accept"  # "You asked to call {destination}. Press 1."
    ACCEPT_INVITED = "accept_invited"  # "{caller} invites you to a conference. Press 1."
    VERIFY = "verify"  # "Key the four digits you see."
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    ENDING_SOON = "ending_soon"  # one minute of money or time is left
    OPTED_OUT = "opted_out"
    JOIN_TONE = "join_tone"
    HOLD_TONE = "hold_tone"


@dataclass(frozen=True, slots=True)
class Order:
    """One leg to originate; `leg_id` names the attempt and is committed before it is asked.

    Attributes:
        number: E.164 with `+`.
        caller_id: E.164 shown, or "" with `private`.
        post_dial: digits sent after the answer (`x1234`), "" if none.
        ring_timeout_s: give up ringing after this long.
        limit_s: the switch ends the leg this long after its answer, until `limit` replaces it.
        at_call_ms: when it was ordered, on the switch's clock.
    """

    leg_id: str
    call_id: str
    shard: int
    number: str
    trunk: str
    caller_id: str
    private: bool
    post_dial: str
    ring_timeout_s: int
    limit_s: int
    at_call_ms: int


class EventKind(StrEnum):
    """What a switch tells."""

    RINGING = "ringing"
    ANSWERED = "answered"
    DIGIT = "digit"
    PROMPT_ENDED = "prompt_ended"
    BRIDGED = "bridged"
    BRIDGE_FAILED = "bridge_failed"
    ENDED = "ended"
    ORIGINATE_FAILED = "originate_failed"
    SWITCH_LOST = "switch_lost"
    SWITCH_BACK = "switch_back"


@dataclass(frozen=True, slots=True)
class SwitchEvent:
    """One event; a repeat has the same `event_id`.

    Attributes:
        at_call_ms: when it happened, by the switch's own clock.
        leg_id: "" for events of the whole switch.
        digit: for DIGIT.
        answered_call_ms: for ENDED, the switch's own answer time; None when never answered.
        cause: Q.850 number for ENDED and ORIGINATE_FAILED.
        by_us: for ENDED, whether the switch ended it because we (or its armed limit) said so; for
            ORIGINATE_FAILED, whether we never asked.
        certain: for ORIGINATE_FAILED, whether it is sure that no leg exists.
        switch: for events of the whole switch, which one; filled in where several are read.
    """

    event_id: str
    kind: EventKind
    leg_id: str
    call_id: str
    at_call_ms: int
    digit: str = ""
    answered_call_ms: int | None = None
    cause: int = 16
    by_us: bool = False
    certain: bool = True
    switch: str = ""


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """A leg that a switch has now, for reconcile."""

    leg_id: str
    call_id: str
    shard: int
    answered_call_ms: int | None
    bridge: str
    since_call_ms: int


@dataclass(frozen=True, slots=True)
class SwitchHealth:
    """Whether a switch can take calls; `detail` is a sentence for people."""

    up: bool
    detail: str
    legs: int
    ports: int


class Switch(Protocol):
    """What every switch can do. All calls are idempotent by leg id; none blocks for the phone.

    Attributes:
        name: the switch's name, as in CDRs.
        cut_guard_ms: how much earlier than `paid_until` we cut, to be sure of never being late.
    """

    name: str
    cut_guard_ms: int

    async def originate(self, order: Order) -> None:
        """Ring a number. A repeat of a leg id that the switch knows does nothing."""

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Let these answered legs, and those already there, hear each other."""

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """Stop or let a leg's voice through."""

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """Say something to one leg; `words` fill the prompt."""

    async def stop(self, leg_id: str) -> None:
        """Stop what is being said to a leg."""

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """Arm the switch's own limit, replacing the last: it ends the leg even when we are dead."""

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """End a leg; one that is not there (any more) is no error."""

    async def live_legs(self) -> Sequence[LiveLeg]:
        """Return every leg that exists now."""

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended if the switch still knows, for reconcile; None if it does not."""

    async def health(self) -> SwitchHealth:
        """Return the state of the switch itself."""

    def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events as they come, until closed. One consumer."""


@runtime_checkable
class ShardedSwitch(Protocol):
    """A switch that tells each node only what concerns the shards that it drives."""

    async def own(self, shards: frozenset[int]) -> None:
        """Tell this process what happens to legs of these shards from now on, and of no others."""


# --- the core as a channel sees it --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in, for pages and the API."""

    user_id: str
    user_name: str
    customer_id: str
    customer_name: str
    role: str
    timezone: str
    country: str
    currency: str
    scopes: tuple[str, ...]
    session_id: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class LegView:
    """One leg as pages show it; times are `call` milliseconds, None when it did not happen."""

    attempt: int
    state: str
    originated_call_ms: int | None
    ringing_call_ms: int | None
    answered_call_ms: int | None
    ended_call_ms: int | None
    cause: str
    cost_micros: int


@dataclass(frozen=True, slots=True)
class PartyView:
    """One party: `n` is its number in the call (0 is A or the chair); `role` A, B, CHAIR or so."""

    n: int
    role: str
    label: str
    number: str
    state: str
    muted: bool
    legs: tuple[LegView, ...]
    cost_micros: int


@dataclass(frozen=True, slots=True)
class CallView:
    """One call with its parties and running cost, as pages and the API show it."""

    id: str
    ref: str
    kind: str
    state: str
    reason: str
    channel: str
    user_id: str
    user_name: str
    title: str
    billing_code: str
    private: bool
    locked: bool
    created_wall_ms: int
    due_call_ms: int | None
    timezone: str
    ended_call_ms: int | None
    paid_until_call_ms: int | None
    cost_micros: int
    currency: str
    parties: tuple[PartyView, ...]
    version: int


@dataclass(frozen=True, slots=True)
class Cdr:
    """The finished record of one leg. Field for field what the API shows, money in micros."""

    id: str
    call_id: str
    ref: str
    party: int
    attempt: int
    leg: str
    channel: str
    request_id: str
    user: str
    from_number: str
    to_number: str
    destination: str
    prefix: str
    rate_id: str
    setup_call_ms: int
    answer_call_ms: int | None
    end_call_ms: int
    end_estimated: bool
    duration_s: int
    billable_s: int
    price_micros_per_minute: int
    connect_fee_micros: int
    charge_micros: int
    tax_micros: int
    total_micros: int
    currency: str
    buy_cost_micros: int
    buy_currency: str
    billing_code: str
    hangup_cause: str
    hangup_by: str
    switch: str
    trunk: str
    explanation: str


@dataclass(frozen=True, slots=True)
class BalanceView:
    """Money of a customer: all in micros; `available` is what new holds may use."""

    currency: str
    plan: str
    posted_micros: int
    held_micros: int
    available_micros: int
    credit_limit_micros: int
    spent_today_micros: int
    daily_spend_micros: int | None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A name that can be called; `shared` when it is the company's."""

    name: str
    number: str
    extension: str
    shared: bool


@dataclass(frozen=True, slots=True)
class PhoneView:
    """One of the user's own phones."""

    label: str
    number: str
    verified: bool
    default: bool


@dataclass(frozen=True, slots=True)
class AddressView:
    """Where the user's requests come from, a device by its name; `opted_out` by STOP there."""

    channel: str
    address: str
    opted_out: bool


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token, without its secret."""

    id: str
    label: str
    scopes: tuple[str, ...]
    created_wall_ms: int
    expires_wall_ms: int | None
    last_used_wall_ms: int | None


@dataclass(frozen=True, slots=True)
class RequestView:
    """What became of a request."""

    id: str
    channel: str
    received_wall_ms: int
    text: str
    call_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `next` is the cursor of the following part, "" at the end."""

    items: tuple[T, ...]
    next: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a carrier says became of a message that it had taken from us.

    Attributes:
        message_id: the outbox id (`Outgoing.id`).
        channel, address: where it was sent; a report for another address comes too late.
        delivered, reason: False when the person will not get it there; why, for the log.
    """

    message_id: str
    channel: str
    address: str
    delivered: bool
    reason: str = ""


class CallCore(Protocol):
    """Everything that a channel may ask of the core."""

    async def handle(self, request: Request) -> Outcome:
        """Do what was asked, durably, and return the answer.

        Raises:
            CallCoreError: nothing was committed; `retryable` tells whether to try again.
        """

    async def accept(self, request: Request) -> Outcome | None:
        """Do what was asked, or in a burst promise durably to do it in a moment: None.

        For channels that answer to the sender's address. Raises as `handle`.
        """

    async def report_delivery(self, report: DeliveryReport) -> None:
        """Note that a message arrived; send it to the user's next address when it did not.

        A report that comes again, or about nothing that was sent, changes nothing. Raises as
        `handle`; the carrier may report again.
        """

    # Signing in. Secrets come in as text, are hashed at once and are never stored or logged.

    async def start_sign_in(self, address: str, now_wall_ms: int) -> None:
        """Send a one-time code to a verified mail address; says nothing about unknown ones."""

    async def sign_in(self, address: str, secret: str, now_wall_ms: int) -> str | None:
        """Return a fresh session token for a right code or password, else None."""

    async def verify_password(self, name: str, password: str) -> Principal | None:
        """Return whose password it is (SMTP AUTH); `name` is a mail address or user name."""

    async def principal_of_session(self, token: str, now_wall_ms: int) -> Principal | None:
        """Return who a session token belongs to, None when unknown, expired or revoked."""

    async def principal_of_token(self, token: str, now_wall_ms: int) -> Principal | None:
        """Return who an API token belongs to, with its scopes."""

    async def device(self, device_id: str, now_wall_ms: int) -> tuple[Principal, bytes] | None:
        """Return who a device belongs to, and sha256 of its token, for the channel to derive keys.

        Args:
            device_id: the first hexadecimal digits of that hash.
            now_wall_ms: for the token's expiry.

        Returns:
            None unless it is the token of a device: its label begins with `packet `.
        """

    async def join_device(self, code: str, label: str, peer: str) -> tuple[str, str, str] | None:
        """Return whose device, its name and key for a code of `device`; None if `peer` guesses."""

    async def sign_out(self, token: str) -> None:
        """Revoke a session."""

    async def create_token(
        self,
        who: Principal,
        label: str,
        scopes: Sequence[str],
        now_wall_ms: int,
        expires_wall_ms: int | None = None,
    ) -> str:
        """Return a new API token's secret, shown once; it works until revoked or expired."""

    async def revoke_token(self, who: Principal, token_id: str) -> bool:
        """End one of the user's tokens; False when it is not theirs."""

    # Reading. Everything is limited to what `who` may see.

    async def calls(self, who: Principal, limit: int, cursor: str) -> Page[CallView]:
        """Return calls, newest first, running and scheduled ones included."""

    async def call(self, who: Principal, call_id_or_ref: str) -> CallView | None:
        """Return one call, None when there is none that `who` may see."""

    def call_events(self, who: Principal, call_id: str) -> AsyncIterator[CallView]:
        """Yield the call at once and again after every change, until it has ended."""

    async def cdrs(self, who: Principal, limit: int, cursor: str, call_id: str) -> Page[Cdr]:
        """Return records, newest first; `call_id` "" for all."""

    async def explain(self, who: Principal, call_id_or_ref: str) -> Sequence[str]:
        """Return the arithmetic of a bill, line by line."""

    async def balance(self, who: Principal) -> BalanceView:
        """Return the customer's money."""

    async def directory(self, who: Principal, prefix: str) -> Sequence[DirectoryEntry]:
        """Return names in order, the user's own before the company's."""

    async def phones(self, who: Principal) -> Sequence[PhoneView]:
        """Return the user's own phones, the default first."""

    async def addresses(self, who: Principal) -> Sequence[AddressView]:
        """Return the user's addresses in the order in which they are written to, then devices."""

    async def tokens(self, who: Principal) -> Sequence[TokenView]:
        """Return the user's API tokens."""

    async def request(self, who: Principal, request_id: str) -> RequestView | None:
        """Return what became of a request."""
