"""Who may ask for what, by how surely it is known who asked: one table, exhaustive.

A row per command: what PROVEN, VOUCHED and CLAIMED evidence permit. FORGED is refused always.
`TRUST` is the table multiplied out over every command, evidence and role; `permission` reads it
and then applies what depends on the request itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, get_args
from zoneinfo import ZoneInfo

from call_core import administration as admin
from call_core import commands as ask
from call_core.customers.limits import DEFAULT_LIMITS, Limits
from call_core.customers.model import UserRole
from call_core.customers.refusals import Refusal, RefusalCode
from call_core.requests import Evidence


class Permission(StrEnum):
    """What the table grants."""

    ALLOW = "allow"
    ACCEPT_KEY_FORCED = "accept_key_forced"  # ring a phone on file, with the key press
    TO_ADDRESS_ON_FILE = "to_address_on_file"  # answer, but only to the address on file
    WITH_CODE = "with_code"  # only with the code that a challenge carried
    CONFIRM_FROM_PROVEN = "confirm_from_proven"  # ask for a `go` from a PROVEN channel
    CHALLENGE = "challenge"  # write to the address on file, ring nobody
    REFUSE_FORGED = "refuse_forged"
    REFUSE_UNPROVEN = "refuse_unproven"
    REFUSE_NOT_ADMINISTRATOR = "refuse_not_administrator"
    REFUSE_NOT_OPERATOR = "refuse_not_operator"
    REFUSE_SCOPE = "refuse_scope"


class Scope(StrEnum):
    """What an API token may be limited to; a person has all three."""

    READ = "read"
    CALL = "call"
    ADMIN = "admin"


CommandKind = type[ask.Command] | type[admin.Administration]

CHALLENGE_EVERY_S: Final = 600
CHALLENGES_PER_DAY: Final = 3
NIGHT_BEGINS_HOUR: Final = 22
NIGHT_ENDS_HOUR: Final = 7
_DAY_S: Final = 86_400
_MS_PER_SECOND: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table: scope, then VOUCHED, CLAIMED; PROVEN is ALLOW for the role."""

    scope: Scope
    vouched: Permission
    claimed: Permission
    role: UserRole = UserRole.MEMBER


_P = Permission
_LAUNCH: Final = _Row(Scope.CALL, _P.ACCEPT_KEY_FORCED, _P.CHALLENGE)
_RING: Final = _Row(Scope.CALL, _P.ACCEPT_KEY_FORCED, _P.REFUSE_UNPROVEN)
_CONTROL: Final = _Row(Scope.CALL, _P.ALLOW, _P.REFUSE_UNPROVEN)
_PRIVATE: Final = _Row(Scope.READ, _P.TO_ADDRESS_ON_FILE, _P.REFUSE_UNPROVEN)
_PUBLIC: Final = _Row(Scope.READ, _P.ALLOW, _P.REFUSE_UNPROVEN)
_NEW_NUMBER: Final = _Row(Scope.CALL, _P.CONFIRM_FROM_PROVEN, _P.REFUSE_UNPROVEN)
_OWN: Final = _Row(Scope.ADMIN, _P.REFUSE_UNPROVEN, _P.REFUSE_UNPROVEN)
_COMPANY: Final = _Row(Scope.ADMIN, _P.REFUSE_UNPROVEN, _P.REFUSE_UNPROVEN, UserRole.ADMINISTRATOR)
_HOUSE: Final = _Row(Scope.ADMIN, _P.REFUSE_UNPROVEN, _P.REFUSE_UNPROVEN, UserRole.OPERATOR)

_ROWS: Final[Mapping[CommandKind, _Row]] = MappingProxyType(
    {
        ask.Call: _LAUNCH,
        ask.Conference: _LAUNCH,
        ask.Last: _LAUNCH,
        ask.Add: _RING,
        ask.Redial: _RING,
        ask.Move: _RING,
        ask.Drop: _CONTROL,
        ask.Mute: _CONTROL,
        ask.Unmute: _CONTROL,
        ask.Lock: _CONTROL,
        ask.Unlock: _CONTROL,
        ask.Extend: _CONTROL,
        ask.HangUp: _CONTROL,
        ask.Who: _PRIVATE,
        # A reply to a challenge comes from the very address that could not be proven; the code
        # in it shows that the sender reads that mailbox.
        ask.Confirm: _Row(Scope.CALL, _P.ALLOW, _P.WITH_CODE),
        ask.Choose: _CONTROL,
        ask.Next: _PRIVATE,
        ask.Skip: _CONTROL,
        ask.Late: _CONTROL,
        ask.Reschedule: _CONTROL,
        ask.Save: _NEW_NUMBER,
        ask.SetSlot: _CONTROL,
        ask.Forget: _CONTROL,
        ask.UsePhone: _CONTROL,
        ask.Undo: _CONTROL,
        ask.Device: _OWN,
        # From an address on file it does nothing; from a new one the code decides (`joining`).
        ask.Join: _PUBLIC,
        ask.OwnPhone: _OWN,
        ask.Detach: _OWN,
        ask.SetBillingCode: _CONTROL,
        ask.Quote: _PUBLIC,
        ask.Rate: _PUBLIC,
        ask.LocalTime: _PUBLIC,
        ask.DialHelp: _PUBLIC,
        ask.Menu: _PUBLIC,
        ask.Balance: _PRIVATE,
        ask.History: _PRIVATE,
        ask.Status: _PRIVATE,
        ask.Why: _PRIVATE,
        ask.More: _PRIVATE,
        ask.Directory: _PRIVATE,
        ask.Phones: _PRIVATE,
        # Whoever wants no more messages gets none: obeying a stranger's STOP costs less than
        # ignoring the owner's.
        ask.OptOut: _Row(Scope.READ, _P.ALLOW, _P.ALLOW),
        ask.OptIn: _Row(Scope.READ, _P.ALLOW, _P.REFUSE_UNPROVEN),
        admin.AddPhone: _OWN,
        admin.AddSender: _OWN,
        admin.SetPassword: _OWN,
        admin.AddToken: _OWN,
        admin.RevokeToken: _OWN,
        admin.AddUser: _COMPANY,
        admin.DisableUser: _COMPANY,
        admin.AddBillingCode: _COMPANY,
        admin.SaveEntry: _COMPANY,
        admin.ForgetEntry: _COMPANY,
        admin.HangUpCall: _COMPANY,
        admin.AddCustomer: _HOUSE,
        admin.TopUp: _HOUSE,
        admin.ActivateDeck: _HOUSE,
        admin.Freeze: _HOUSE,
        admin.Unfreeze: _HOUSE,
    }
)

_RANKS: Final = (UserRole.MEMBER, UserRole.ADMINISTRATOR, UserRole.OPERATOR)
_ROLE_REFUSALS: Final = MappingProxyType(
    {
        UserRole.ADMINISTRATOR: _P.REFUSE_NOT_ADMINISTRATOR,
        UserRole.OPERATOR: _P.REFUSE_NOT_OPERATOR,
    }
)


def _cell(row: _Row, evidence: Evidence, role: UserRole) -> Permission:
    if evidence is Evidence.FORGED:
        return _P.REFUSE_FORGED
    if evidence is Evidence.CLAIMED:
        return row.claimed
    if evidence is Evidence.VOUCHED:
        return row.vouched
    if _RANKS.index(role) < _RANKS.index(row.role):
        return _ROLE_REFUSALS[row.role]
    return _P.ALLOW


def command_kinds() -> tuple[CommandKind, ...]:
    """Gives every class of command and administration, as the unions list them."""
    return (*get_args(ask.Command), *get_args(admin.Administration))


TRUST: Final[Mapping[tuple[CommandKind, Evidence, UserRole], Permission]] = MappingProxyType(
    {
        (kind, evidence, role): _cell(row, evidence, role)
        for kind, row in _ROWS.items()
        for evidence in Evidence
        for role in UserRole
    }
)
"""Permission by command class, evidence and role, before the circumstances of the request."""


@dataclass(frozen=True, slots=True)
class TrustContext:
    """The circumstances of a request.

    Attributes:
        scopes: what the sender's token may do; all three for a person.
        new_directory_number: the command puts a number in the directory that was not there.
        new_country: it rings a country that the user never called.
        parties: people in the call, the caller among them; 0 when it launches nothing.
        vouched_spend_micros: posted and held today for VOUCHED requests, this one included.
        question_needs_proven: the open question was asked because VOUCHED was not enough.
        code_matches: the `go` carries the right code of an open challenge.
        limits: the customer's.
    """

    scopes: tuple[str, ...] = tuple(Scope)
    new_directory_number: bool = False
    new_country: bool = False
    parties: int = 0
    vouched_spend_micros: int = 0
    question_needs_proven: bool = False
    code_matches: bool = False
    limits: Limits = DEFAULT_LIMITS


def scope_of(kind: CommandKind) -> Scope:
    """Gives the scope that a token needs for a command."""
    return _ROWS[kind].scope


def permission(
    command: ask.Command | admin.Administration,
    evidence: Evidence,
    role: UserRole,
    context: TrustContext,
) -> Permission:
    """Decides what a command may do, in order: forged, scope, the table, the circumstances."""
    kind = type(command)
    granted = TRUST[kind, evidence, role]
    if granted is _P.REFUSE_FORGED:
        return granted
    if scope_of(kind) not in context.scopes:
        return _P.REFUSE_SCOPE
    if granted is _P.WITH_CODE:
        return _P.ALLOW if context.code_matches else _P.REFUSE_UNPROVEN
    if evidence is Evidence.VOUCHED and _beyond_vouched(granted, context):
        return _P.CONFIRM_FROM_PROVEN
    if isinstance(command, admin.AddPhone) and command.trusted and granted is _P.ALLOW:
        return TRUST[admin.AddCustomer, evidence, role]  # only the operator vouches for a phone
    return granted


def _beyond_vouched(granted: Permission, context: TrustContext) -> bool:
    """Whether a request goes beyond what an authentic door without a known person may do."""
    if granted is _P.ACCEPT_KEY_FORCED:
        limits = context.limits
        return (
            context.new_country
            or context.parties > limits.vouched_parties
            or context.vouched_spend_micros > limits.vouched_daily_spend_micros
        )
    beyond = context.new_directory_number or context.question_needs_proven
    return granted is _P.ALLOW and beyond


def refusal_of(granted: Permission, scope: Scope) -> Refusal | None:
    """Gives the refusal for a permission that is one; None for the others."""
    code = _REFUSALS.get(granted)
    if code is None:
        return None
    return Refusal(code, {"scope": scope.value} if code is RefusalCode.SCOPE_MISSING else {})


_REFUSALS: Final = MappingProxyType(
    {
        _P.REFUSE_FORGED: RefusalCode.FORGED,
        _P.REFUSE_UNPROVEN: RefusalCode.UNPROVEN,
        _P.REFUSE_NOT_ADMINISTRATOR: RefusalCode.NOT_ADMINISTRATOR,
        _P.REFUSE_NOT_OPERATOR: RefusalCode.NOT_OPERATOR,
        _P.REFUSE_SCOPE: RefusalCode.SCOPE_MISSING,
    }
)


def accept_key_needed(granted: Permission, *, phone_wants_key: bool) -> bool:
    """Whether the caller must press a key: a phone's own setting counts only for PROVEN."""
    return phone_wants_key or granted is not Permission.ALLOW


def challenge(sent_wall_ms: Iterable[int], now_wall_ms: int, timezone: str) -> Refusal | None:
    """Decides whether we may write "somebody asked us to call ... You?" to a user now.

    At most one in ten minutes and three in 24 hours, so that a stranger cannot use us to fill a
    mailbox; nothing between 22 and 7 by the user's clock.

    Args:
        sent_wall_ms: when earlier challenges went to this user.
        now_wall_ms: the present.
        timezone: the user's IANA zone.
    """
    ages_s = [(now_wall_ms - sent) // _MS_PER_SECOND for sent in sent_wall_ms]
    recent_s = [age for age in ages_s if age < _DAY_S]
    if len(recent_s) >= CHALLENGES_PER_DAY:
        return Refusal(RefusalCode.CHALLENGE_TOO_MANY, {"limit": CHALLENGES_PER_DAY})
    if any(age < CHALLENGE_EVERY_S for age in recent_s):
        return Refusal(RefusalCode.CHALLENGE_TOO_SOON, {"minutes": CHALLENGE_EVERY_S // 60})
    local = (_EPOCH + timedelta(milliseconds=now_wall_ms)).astimezone(ZoneInfo(timezone))
    if not NIGHT_ENDS_HOUR <= local.hour < NIGHT_BEGINS_HOUR:
        return Refusal(RefusalCode.CHALLENGE_AT_NIGHT)
    return None
