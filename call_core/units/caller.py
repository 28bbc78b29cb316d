"""Who asks: a user with customer and phones, how surely known, and where answers go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from call_core.administration import Administration
from call_core.commands import Command
from call_core.customers.limits import Limits
from call_core.customers.model import Customer, OwnPhone, User, UserRole, Verification
from call_core.customers.trust import Permission, TrustContext, permission
from call_core.numbering import Home, NumberKind
from call_core.outcomes import Fields, Outcome, Phrase, Refused, Value
from call_core.requests import Evidence, Request
from call_core.storage import people_rows
from call_core.storage.people_rows import CallerRow, PhoneRow
from call_core.storage.transaction import Tx
from call_core.units.house import House

_VERIFICATION = {"": Verification.NONE, "key": Verification.KEY_PRESS}


@dataclass(frozen=True, slots=True)
class Asker:
    """One request's user and circumstances.

    Attributes:
        frozen: what the operator has frozen; deck_version: of the tariff, as in `CallerRow`.
        evidence: how sure the channel was; scopes: what its token may do.
        channel, address, thread, request_id: where the answer and later news go.
        confirmed: questions that were answered with `go`, by code; they are not asked again.
        ref: the ref of the question that was answered, reused for the call; "" for a new one.
        quoted_micros: what the question said the launch would hold; None when it said nothing.
        text: the words themselves.
        in_session: the channel shows the answer on its own page.
        page_rows: how many rows of a list one answer holds; 0 is all.
        sender: the address the request came from, "" when the channel knew the user itself.
    """

    customer: Customer
    user: User
    tariff: str
    default_phone_id: str
    evidence: Evidence
    scopes: tuple[str, ...]
    channel: str
    space: str
    address: str
    thread: str
    request_id: str
    in_session: bool
    received_wall_ms: int
    frozen: "Frozen"
    deck_version: int | None
    sent_wall_ms: int | None = None
    text: str = ""
    confirmed: frozenset[str] = frozenset()
    ref: str = ""
    quoted_micros: int | None = None
    page_rows: int = 0
    daily_spend_micros: int | None = None
    sender: str = ""

    @property
    def home(self) -> Home:
        """Where the user dials from."""
        return Home(self.user.country, self.user.area_code)

    def as_now(self, frozen: "Frozen", *, active: bool) -> "Asker":
        """Return the same asker as they stand now; both may have changed while a lock was awaited.

        Args:
            frozen: all that is frozen.
            active: whether the user is.
        """
        if frozen == self.frozen and active == self.user.active:
            return self
        return replace(
            self,
            frozen=frozen,
            customer=replace(self.customer, frozen=frozen.has("customer", self.customer.id)),
            user=replace(self.user, active=active, frozen=frozen.has("user", self.user.id)),
        )

    def answered(self, code: str, ref: str, quoted_micros: int | None) -> "Asker":
        """Return the same asker, with one question answered by `go`."""
        return replace(
            self, confirmed=self.confirmed | {code}, ref=ref, quoted_micros=quoted_micros
        )


class Stop(Exception):
    """The answer is known: a refusal. Raised deep inside, answered by `handle.py`."""

    def __init__(
        self, code: str, fields: Fields | None = None, *, ref: str = "", **more: Value
    ) -> None:
        super().__init__(code)
        self.outcome: Outcome = Refused(code, ref, "", {**(fields or {}), **more})


@dataclass(frozen=True, slots=True)
class Choice:
    """One numbered answer: what it says and what it does."""

    phrase: Phrase
    command: Command


class Ask(Exception):
    """The user must answer first. Raised deep inside, stored and asked by `questions.py`.

    Attributes:
        code: catalogue code of the question, also what `go` confirms.
        choices: numbered answers; empty for a plain yes.
        command: what `go` does; None when only a number answers.
        needs_proven: whether only a PROVEN request may answer.
        quoted_micros: the price that was said, checked again at the answer.
        secret: a code that the answer must carry, "" for none.
    """

    def __init__(
        self,
        code: str,
        *,
        choices: tuple[Choice, ...] = (),
        command: Command | None = None,
        needs_proven: bool = False,
        quoted_micros: int | None = None,
        secret: str = "",
        fields: Fields | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.choices = choices
        self.command = command
        self.needs_proven = needs_proven
        self.quoted_micros = quoted_micros
        self.secret = secret
        self.fields: Fields = fields or {}


def find_row(tx: Tx, request: Request) -> CallerRow | None:
    """Return whose request this is; None for an address that nobody put on file."""
    if request.user_id is not None:
        return tx.one(people_rows.CALLER_OF_USER, user_id=request.user_id)
    return tx.one(people_rows.CALLER_OF_SENDER, space=request.id_space, address=request.sender)


def asker_of(row: CallerRow, request: Request, request_id: str, house: House) -> Asker:
    """Return the user behind a request with all that decisions need."""
    frozen = frozen_of(row)
    return Asker(
        customer=customer_of(row, house.limits, frozen),
        user=user_of(row, frozen, operator=request.channel == "cli"),
        tariff=row.tariff,
        default_phone_id=row.default_phone_id,
        evidence=request.evidence,
        scopes=request.scopes,
        channel=request.channel,
        space=request.id_space,
        # A session that knows its user and names an address too (a pager's line) answers by itself;
        # the receipt comes later and goes to that address.
        address="" if request.in_session and request.user_id is None else request.sender,
        thread=request.thread,
        request_id=request_id,
        in_session=request.in_session,
        page_rows=request.page_rows,
        received_wall_ms=request.received_wall_ms,
        sent_wall_ms=request.sent_wall_ms,
        text=request.text,
        daily_spend_micros=row.daily_spend_micros,
        frozen=frozen,
        deck_version=row.deck_version,
        sender=request.sender,
    )


@dataclass(frozen=True, slots=True)
class Frozen:
    """What the operator has frozen: kinds to targets."""

    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, kind: str, target: str) -> bool:
        """Whether this very target is frozen."""
        return target in self.targets.get(kind, frozenset())

    @property
    def everything(self) -> bool:
        """Whether nothing launches at all."""
        return bool(self.targets.get("all"))

    def prefix_of(self, digits: str) -> str:
        """Return the frozen prefix that a number begins with, "" if none."""
        bare = digits.removeprefix("+")
        return next((p for p in self.targets.get("prefix", ()) if bare.startswith(p)), "")


def frozen_of(row: CallerRow) -> Frozen:
    """Return everything that is frozen, as it was read with the user in this transaction."""
    return frozen_in((row.frozen or "").splitlines())


def frozen_in(lines: Iterable[str]) -> Frozen:
    """Return what lines of kind, space and target say."""
    found: dict[str, set[str]] = {}
    for line in lines:
        kind, _, target = line.partition(" ")
        found.setdefault(kind, set()).add(target)
    return Frozen({kind: frozenset(targets) for kind, targets in found.items()})


def customer_of(row: CallerRow, limits: Limits, frozen: Frozen) -> Customer:
    """Return the customer with their own limits in place of the defaults."""
    own: dict[str, int] = {}
    if row.daily_spend_micros is not None:
        own["daily_spend_micros"] = row.daily_spend_micros
    if row.concurrent_calls is not None:
        own["concurrent_calls"] = row.concurrent_calls
    if row.vouched_daily_spend_micros is not None:
        own["vouched_daily_spend_micros"] = row.vouched_daily_spend_micros
    return Customer(
        id=row.customer_id,
        name=row.customer_name,
        currency=row.currency,
        active=row.customer_state == "active",
        frozen=frozen.has("customer", row.customer_id),
        prepaid=row.plan == "prepaid",
        regions=frozenset(filter(None, row.regions.split(","))) or frozenset({row.country}),
        opted_in=frozenset(NumberKind(kind) for kind in filter(None, row.opted_in.split(","))),
        billing_code_required=bool(row.billing_code_required),
        completed_calls=row.launched_calls,
        limits=replace(limits, **own) if own else limits,
    )


def user_of(row: CallerRow, frozen: Frozen, *, operator: bool = False) -> User:
    """Return the user; the operator acts through the command line only."""
    return User(
        id=row.user_id,
        customer_id=row.customer_id,
        name=row.user_name,
        role=UserRole.OPERATOR if operator else UserRole(row.role),
        active=row.user_state == "active",
        frozen=frozen.has("user", row.user_id),
        timezone=row.timezone,
        country=row.country,
        area_code=row.area_code,
    )


def own_phones(tx: Tx, asker: Asker) -> tuple[OwnPhone, ...]:
    """Return the user's phones, the default one first."""
    rows = tx.all(people_rows.PHONES, user_id=asker.user.id)
    default = asker.default_phone_id or (rows[0].id if rows else "")
    phones = [own_phone(row, asker.user.id, default) for row in rows]
    return tuple(sorted(phones, key=lambda phone: not phone.default))


def own_phone(row: PhoneRow, user_id: str, default_id: str) -> OwnPhone:
    """Return a stored phone as decisions see it."""
    return OwnPhone(
        id=row.id,
        user_id=user_id,
        label=row.label,
        number=row.number,
        extension=row.extension,
        verification=_VERIFICATION.get(row.verified, Verification.OPERATOR),
        accept_key=bool(row.accept_key),
        default=row.id == default_id,
    )


def permit(
    command: Command | Administration, asker: Asker, context: TrustContext | None = None
) -> Permission:
    """Return what the asker may do with a command."""
    given = context or TrustContext(scopes=asker.scopes, limits=asker.customer.limits)
    return permission(command, asker.evidence, asker.user.role, given)
