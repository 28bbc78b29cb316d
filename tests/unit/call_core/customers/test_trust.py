from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from call_core import administration as admin
from call_core import commands as ask
from call_core.customers.model import UserRole
from call_core.customers.refusals import RefusalCode
from call_core.customers.trust import (
    CHALLENGES_PER_DAY,
    TRUST,
    Permission,
    Scope,
    TrustContext,
    accept_key_needed,
    challenge,
    command_kinds,
    permission,
    refusal_of,
    scope_of,
)
from call_core.requests import Evidence

P = Permission
PLAIN = TrustContext()
MEMBER = UserRole.MEMBER
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOON_MS = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1000
CALL = ask.Call(ask.Name("mom"))

LAUNCH = {ask.Call, ask.Conference, ask.Last}
RING = {ask.Add, ask.Redial, ask.Move}
PRIVATE = {ask.Balance, ask.History, ask.Status, ask.Why, ask.More, ask.Directory, ask.Phones}
PRIVATE |= {ask.Who, ask.Next}
COMPANY = {
    admin.AddUser,
    admin.DisableUser,
    admin.AddBillingCode,
    admin.SaveEntry,
    admin.ForgetEntry,
    admin.HangUpCall,
}
HOUSE = {admin.AddCustomer, admin.TopUp, admin.ActivateDeck, admin.Freeze, admin.Unfreeze}
OWN = {admin.AddPhone, admin.AddSender, admin.SetPassword, admin.AddToken, admin.RevokeToken}
BELONGINGS = {ask.Device, ask.OwnPhone, ask.Detach}


def test_the_table_is_exhaustive() -> None:
    """Every command and administration has a cell for every evidence and role, and no more."""
    assert set(TRUST) == {
        (kind, evidence, role)
        for kind in command_kinds()
        for evidence in Evidence
        for role in UserRole
    }


def test_the_groups_above_cover_every_administration() -> None:
    """A new administration has to be sorted before this test passes."""
    assert set(get_args(admin.Administration)) == COMPANY | HOUSE | OWN


@pytest.mark.parametrize("role", UserRole)
@pytest.mark.parametrize("kind", command_kinds(), ids=lambda kind: kind.__name__)
def test_every_cell(kind: type[ask.Command], role: UserRole) -> None:
    """Forged may nothing, claimed rings nobody, vouched rings only with the key press."""
    forged, claimed, vouched, proven = (TRUST[kind, evidence, role] for evidence in Evidence)
    assert forged is P.REFUSE_FORGED
    if kind in LAUNCH:
        assert (claimed, vouched, proven) == (P.CHALLENGE, P.ACCEPT_KEY_FORCED, P.ALLOW)
    elif kind in RING:
        assert (claimed, vouched, proven) == (P.REFUSE_UNPROVEN, P.ACCEPT_KEY_FORCED, P.ALLOW)
    elif kind in PRIVATE:
        assert (claimed, vouched, proven) == (P.REFUSE_UNPROVEN, P.TO_ADDRESS_ON_FILE, P.ALLOW)
    elif kind in COMPANY | HOUSE | OWN | BELONGINGS:
        assert (claimed, vouched) == (P.REFUSE_UNPROVEN, P.REFUSE_UNPROVEN)
        needed = UserRole.OPERATOR if kind in HOUSE else UserRole.ADMINISTRATOR
        refusal = P.REFUSE_NOT_OPERATOR if kind in HOUSE else P.REFUSE_NOT_ADMINISTRATOR
        enough = kind in OWN | BELONGINGS or role in {needed, UserRole.OPERATOR}
        assert proven is (P.ALLOW if enough else refusal)
    else:
        assert proven is P.ALLOW
        wanted = P.CONFIRM_FROM_PROVEN if kind is ask.Save else P.ALLOW
        assert vouched is wanted
        special = {ask.OptOut: P.ALLOW, ask.Confirm: P.WITH_CODE}
        assert claimed is special.get(kind, P.REFUSE_UNPROVEN)


@pytest.mark.parametrize(
    ("command", "context", "expected"),
    [
        (CALL, PLAIN, P.ACCEPT_KEY_FORCED),
        (CALL, replace(PLAIN, parties=4), P.ACCEPT_KEY_FORCED),
        (CALL, replace(PLAIN, parties=5), P.CONFIRM_FROM_PROVEN),
        (CALL, replace(PLAIN, vouched_spend_micros=10_000_000), P.ACCEPT_KEY_FORCED),
        (CALL, replace(PLAIN, vouched_spend_micros=10_000_001), P.CONFIRM_FROM_PROVEN),
        (CALL, replace(PLAIN, new_country=True), P.CONFIRM_FROM_PROVEN),
        (ask.Add(ask.Name("bob")), replace(PLAIN, new_country=True), P.CONFIRM_FROM_PROVEN),
        (ask.SetSlot(7, ask.Name("bob")), PLAIN, P.ALLOW),
        (
            ask.SetSlot(7, ask.Number("1")),
            replace(PLAIN, new_directory_number=True),
            P.CONFIRM_FROM_PROVEN,
        ),
        (ask.Save("bob", ask.Number("1")), PLAIN, P.CONFIRM_FROM_PROVEN),
        (ask.Confirm("4F7"), PLAIN, P.ALLOW),
        (ask.Confirm("4F7"), replace(PLAIN, question_needs_proven=True), P.CONFIRM_FROM_PROVEN),
        (ask.Choose(2), replace(PLAIN, question_needs_proven=True), P.CONFIRM_FROM_PROVEN),
        (ask.HangUp(), replace(PLAIN, vouched_spend_micros=99_000_000), P.ALLOW),
        (ask.Balance(), replace(PLAIN, new_country=True), P.TO_ADDRESS_ON_FILE),
    ],
)
def test_what_vouched_may_not_alone(
    command: ask.Command, context: TrustContext, expected: Permission
) -> None:
    """New numbers, new countries, many people and much money need a `go` from the person."""
    assert permission(command, Evidence.VOUCHED, MEMBER, context) is expected


@pytest.mark.parametrize(
    "context",
    [
        replace(PLAIN, new_country=True, parties=64, vouched_spend_micros=99_000_000),
        replace(PLAIN, new_directory_number=True, question_needs_proven=True),
    ],
)
def test_proven_may_everything(context: TrustContext) -> None:
    """The limits for VOUCHED do not touch the person themselves."""
    for command in (CALL, ask.Save("bob", ask.Number("1")), ask.Confirm("4F7")):
        assert permission(command, Evidence.PROVEN, MEMBER, context) is P.ALLOW


@pytest.mark.parametrize(("matches", "expected"), [(True, P.ALLOW), (False, P.REFUSE_UNPROVEN)])
def test_a_claimed_go_needs_the_code(
    matches: bool,  # noqa: FBT001  (a table's column)
    expected: Permission,
) -> None:
    """Who answers a challenge shows by its code that the mailbox is theirs."""
    context = replace(PLAIN, code_matches=matches)
    assert permission(ask.Confirm("4F7", "881342"), Evidence.CLAIMED, MEMBER, context) is expected


@pytest.mark.parametrize(
    ("command", "scopes", "expected"),
    [
        (ask.Balance(), ("read",), P.ALLOW),
        (CALL, ("read",), P.REFUSE_SCOPE),
        (CALL, ("call",), P.ALLOW),
        (ask.Balance(), ("call",), P.REFUSE_SCOPE),
        (admin.RevokeToken("t1"), ("read", "call"), P.REFUSE_SCOPE),
        (admin.RevokeToken("t1"), ("admin",), P.ALLOW),
    ],
)
def test_a_token_may_only_what_its_scopes_say(
    command: ask.Command, scopes: tuple[str, ...], expected: Permission
) -> None:
    """A token for reading calls nobody, a token for calling makes no tokens."""
    context = replace(PLAIN, scopes=scopes)
    assert permission(command, Evidence.PROVEN, MEMBER, context) is expected


def test_forged_comes_before_the_scope() -> None:
    """A forged request learns nothing about tokens."""
    context = replace(PLAIN, scopes=())
    assert permission(CALL, Evidence.FORGED, MEMBER, context) is P.REFUSE_FORGED


@pytest.mark.parametrize(
    ("role", "trusted", "expected"),
    [
        (MEMBER, False, P.ALLOW),
        (MEMBER, True, P.REFUSE_NOT_OPERATOR),
        (UserRole.ADMINISTRATOR, True, P.REFUSE_NOT_OPERATOR),
        (UserRole.OPERATOR, True, P.ALLOW),
    ],
)
def test_only_the_operator_vouches_for_a_phone(
    role: UserRole,
    trusted: bool,  # noqa: FBT001  (a table's column)
    expected: Permission,
) -> None:
    """Everybody else has to have it verified by a call."""
    command = admin.AddPhone("u1", "cell", "+16169779933", trusted=trusted)
    assert permission(command, Evidence.PROVEN, role, PLAIN) is expected


@pytest.mark.parametrize(
    ("granted", "code"),
    [
        (P.ALLOW, None),
        (P.CHALLENGE, None),
        (P.REFUSE_FORGED, RefusalCode.FORGED),
        (P.REFUSE_UNPROVEN, RefusalCode.UNPROVEN),
        (P.REFUSE_NOT_ADMINISTRATOR, RefusalCode.NOT_ADMINISTRATOR),
        (P.REFUSE_NOT_OPERATOR, RefusalCode.NOT_OPERATOR),
        (P.REFUSE_SCOPE, RefusalCode.SCOPE_MISSING),
    ],
)
def test_refusals_of_permissions(granted: Permission, code: RefusalCode | None) -> None:
    """Every permission that refuses has its code; the others have none."""
    refusal = refusal_of(granted, Scope.CALL)
    assert (refusal.code if refusal else None) is code
    if refusal:
        assert refusal.fields == ({"scope": "call"} if granted is P.REFUSE_SCOPE else {})
    assert granted.name.startswith("REFUSE") is (refusal is not None)


def test_scopes_of_commands() -> None:
    """Reading, calling and administering are told apart."""
    assert scope_of(ask.History) is Scope.READ
    assert scope_of(ask.HangUp) is Scope.CALL
    assert scope_of(admin.AddUser) is Scope.ADMIN


@pytest.mark.parametrize(
    ("granted", "phone_wants_key", "needed"),
    [
        (P.ALLOW, True, True),
        (P.ALLOW, False, False),
        (P.ACCEPT_KEY_FORCED, False, True),
        (P.CONFIRM_FROM_PROVEN, False, True),
    ],
)
def test_accept_key(
    granted: Permission,
    phone_wants_key: bool,  # noqa: FBT001  (a table's column)
    needed: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """A phone's own setting switches the key press off only for a proven request."""
    assert accept_key_needed(granted, phone_wants_key=phone_wants_key) is needed


@pytest.mark.parametrize(
    ("sent_ago_ms", "code"),
    [
        ([], None),
        ([10 * MINUTE_MS], None),
        ([10 * MINUTE_MS - 1], RefusalCode.CHALLENGE_TOO_SOON),
        ([HOUR_MS, 2 * HOUR_MS], None),
        ([HOUR_MS, 2 * HOUR_MS, 24 * HOUR_MS], None),
        ([HOUR_MS, 2 * HOUR_MS, 24 * HOUR_MS - 1], RefusalCode.CHALLENGE_TOO_MANY),
    ],
)
def test_challenges_are_few(sent_ago_ms: list[int], code: RefusalCode | None) -> None:
    """One in ten minutes and three a day, each limit to the millisecond."""
    refusal = challenge([NOON_MS - ago for ago in sent_ago_ms], NOON_MS, "Etc/UTC")
    assert (refusal.code if refusal else None) is code
    assert CHALLENGES_PER_DAY == 3


@pytest.mark.parametrize(
    ("hour_utc", "timezone", "night"),
    [
        (21, "Etc/UTC", False),
        (22, "Etc/UTC", True),
        (6, "Etc/UTC", True),
        (7, "Etc/UTC", False),
        (12, "Asia/Tokyo", False),
        (13, "Asia/Tokyo", True),
    ],
)
def test_no_challenge_at_night(
    hour_utc: int,
    timezone: str,
    night: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """Between 22 and 7 by the user's own clock nothing is sent."""
    now_ms = NOON_MS + (hour_utc - 12) * HOUR_MS
    refusal = challenge([], now_ms, timezone)
    assert (refusal is not None) is night
    assert refusal is None or refusal.code is RefusalCode.CHALLENGE_AT_NIGHT
