"""What operators and administrators do: customers, users, phones, money, freezes."""

import json

from sqlalchemy import bindparam, or_, select

from call_core import numbering
from call_core.administration import (
    ActivateDeck,
    AddBillingCode,
    AddCustomer,
    AddPhone,
    AddSender,
    AddToken,
    AddUser,
    Administration,
    DisableUser,
    ForgetEntry,
    Freeze,
    HangUpCall,
    RevokeToken,
    SaveEntry,
    SetPassword,
    TopUp,
    Unfreeze,
)
from call_core.calls.model import Call, Reason
from call_core.customers.model import UserRole
from call_core.customers.names import fold
from call_core.customers.trust import Scope
from call_core.ledger.accounts import AccountKind, available, customer_account
from call_core.money import CURRENCIES
from call_core.numbering import Home, NumberProblem
from call_core.outcomes import Done, Money, Outcome, Phone, Value
from call_core.places import is_zone
from call_core.storage import (
    access_rows,
    call_rows,
    ledger_rows,
    people_rows,
    rate_rows,
    restored,
    tables,
)
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.ledger_rows import Entry
from call_core.storage.people_rows import CallerRow
from call_core.storage.statements import Row, select_statement
from call_core.storage.transaction import Tx
from call_core.units import belongings, company_directory, control, joining
from call_core.units.caller import Asker, Stop
from call_core.units.house import House, Stamp

PLANS = ("prepaid", "postpaid")
ROLES = ("member", "administrator")
OPERATOR = "operator"
_C = tables.calls
RUNNING_CALLS = select_statement(
    select(_C.c.id, _C.c.user_id, _C.c.customer_id, _C.c.state).where(
        _C.c.ended_wall_ms.is_(None), _C.c.state.notin_(["SCHEDULED", "ASKED"])
    ),
    name="all_running_calls",
)
CALL_BY_NAME = select_statement(
    select(_C.c.id)
    .where(
        or_(_C.c.id == bindparam("name"), _C.c.ref == bindparam("ref")),
        _C.c.ended_wall_ms.is_(None),
    )
    .order_by(_C.c.created_wall_ms.desc()),
    name="live_call_by_name",
)
TOKEN_OWNER = select_statement(
    select(tables.tokens.c.user_id).where(tables.tokens.c.id == bindparam("id")),
    name="token_owner",
)


def administer(
    tx: Tx, house: House, asker: Asker | None, command: Administration, stamp: Stamp
) -> tuple[Outcome, list[Call]]:
    """Do one administrative command, audited.

    Args:
        tx: the transaction.
        house: the deployment.
        asker: a user, who reaches themself, and as administrator their own customer; None is the
            operator, who reaches everybody.
        command: what to do.
        stamp: now.

    Returns:
        The answer with the ids that were made, and calls that were ended by it.

    Raises:
        Stop: it cannot be done.
    """
    outcome, calls = _done(tx, house, _reach(asker), command, stamp)
    # An address may be a telephone number too.
    shown = {k: str(v) for k, v in outcome.fields.items() if k not in ("number", "address")}
    detail = json.dumps(shown)
    action = f"admin.{type(command).__name__}"
    subject = str(next(iter(outcome.fields.values()), ""))
    actor = OPERATOR if asker is None else asker.user.id
    if asker is not None and isinstance(command, AddPhone | AddSender | AddToken):
        owner = user_row(tx, command.user, _reach(asker)).user_id
        belongings.tell_of_addition(tx, owner, command, outcome, stamp)
    tx.audit(AuditEntry(stamp.wall_ms, actor, action, subject, detail))
    return outcome, calls


def _reach(asker: Asker | None) -> Asker | None:
    return None if asker is None or asker.user.role is UserRole.OPERATOR else asker


def _done(
    tx: Tx, house: House, asker: Asker | None, command: Administration, stamp: Stamp
) -> tuple[Outcome, list[Call]]:
    match command:
        case AddCustomer() | TopUp() | ActivateDeck() | AddBillingCode():
            return _customers(tx, house, asker, command, stamp), []
        case AddUser() | AddPhone() | AddSender():
            return _people(tx, house, asker, command, stamp), []
        case SaveEntry() | ForgetEntry():
            row = customer_row(tx, command.customer, asker)
            return company_directory.change(tx, row[0], asker, command), []
        case SetPassword() | AddToken() | RevokeToken():
            return _access(tx, asker, command, stamp), []
        case DisableUser() | Freeze() | Unfreeze() | HangUpCall():
            return _stops(tx, house, asker, command, stamp)


def customer_row(tx: Tx, name: str, asker: Asker | None = None) -> Row:
    """Return `(id, name, currency, plan, state)` of a customer by id or name.

    Raises:
        Stop: there is none that the asker may change.
    """
    row = tx.one(people_rows.FIND_CUSTOMER, name=name)
    if row is None or (asker is not None and row[0] != asker.customer.id):
        raise Stop("no_such_customer", name=name)
    return row


def user_row(tx: Tx, name: str, asker: Asker | None = None) -> CallerRow:
    """Return a user by id or by name.

    Raises:
        Stop: there is none that the asker may change, or the name is not unique.
    """
    rows = [row for row in tx.all(people_rows.CALLERS_BY_NAME, name=name) if _reaches(asker, row)]
    if not rows:
        raise Stop("no_such_user", name=name)
    if len(rows) > 1:
        raise Stop("several_users", name=name, example=rows[0].user_id)
    return rows[0]


def _reaches(asker: Asker | None, row: CallerRow) -> bool:
    """Whether somebody may change a user: oneself, and an administrator their customer's."""
    if asker is None or row.user_id == asker.user.id:
        return True
    same = row.customer_id == asker.customer.id
    return same and asker.user.role is UserRole.ADMINISTRATOR


# --- customers ----------------------------------------------------------------------------------


def _customers(
    tx: Tx,
    house: House,
    asker: Asker | None,
    command: AddCustomer | TopUp | ActivateDeck | AddBillingCode,
    stamp: Stamp,
) -> Outcome:
    match command:
        case AddCustomer():
            return _add_customer(tx, house, command, stamp)
        case TopUp():
            return _top_up(tx, command, stamp)
        case ActivateDeck(tariff, version):
            tx.write(rate_rows.ACTIVATE, key_name=tariff, version=version)
            tx.announce("decks")
            return Done("deck_activated", fields={"tariff": tariff, "version": version})
        case AddBillingCode(customer, code):
            row = customer_row(tx, customer, asker)
            tx.write(people_rows.INSERT_BILLING_CODE, customer_id=row[0], code=code)
            return Done("billing_code_added", fields={"customer_id": row[0], "code": code})


def _add_customer(tx: Tx, house: House, command: AddCustomer, stamp: Stamp) -> Outcome:
    if command.currency not in CURRENCIES:
        raise Stop("unknown_currency", currency=command.currency, example="USD")
    if command.plan not in PLANS:
        raise Stop("unknown_plan", plan=command.plan, example="prepaid")
    if tx.one(people_rows.FIND_CUSTOMER, name=command.name) is not None:
        raise Stop("name_taken", name=command.name)
    unknown = [region for region in command.regions if not _is_region(region)]
    if unknown:
        raise Stop("unknown_region", region=unknown[0], example="US,GB")
    tariff = _tariff(tx, command)
    customer_id = stamp.new_id("cust")
    limits = house.limits
    tx.write(
        people_rows.INSERT_CUSTOMER,
        id=customer_id,
        name=command.name,
        currency=command.currency,
        plan=command.plan,
        credit_limit_micros=command.credit_limit_micros,
        tariff=tariff,
        regions=",".join(command.regions),
        opted_in="",
        daily_spend_micros=_or(command.daily_spend_micros, limits.daily_spend_micros),
        vouched_daily_spend_micros=limits.vouched_daily_spend_micros,
        concurrent_calls=_or(command.concurrent_calls, limits.concurrent_calls),
        billing_code_required=int(command.billing_code_required),
        state="active",
        launched_calls=0,
        created_wall_ms=stamp.wall_ms,
    )
    prepaid = command.plan == "prepaid"
    ledger_rows.open_account(
        tx,
        customer_account(customer_id),
        command.currency,
        AccountKind.CUSTOMER_PREPAID if prepaid else AccountKind.CUSTOMER_POSTPAID,
        None if prepaid else command.credit_limit_micros,
    )
    return Done("customer_added", fields={"customer_id": customer_id, "name": command.name})


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _is_region(region: str) -> bool:
    return region == numbering.NO_COUNTRY or region in numbering.countries()


def _tariff(tx: Tx, command: AddCustomer) -> str:
    """Return the customer's tariff: the one named, or the only one of the currency."""
    found = [row for row in tx.all(rate_rows.TARIFFS) if row[1] == command.currency]
    if command.tariff:
        named = [row for row in found if row[0] == command.tariff]
        if not named:
            raise Stop("unknown_tariff", tariff=command.tariff, currency=command.currency)
        return command.tariff
    return str(found[0][0]) if len(found) == 1 else ""


def _top_up(tx: Tx, command: TopUp, stamp: Stamp) -> Outcome:
    row = customer_row(tx, command.customer)
    if command.amount_micros <= 0:
        raise Stop("not_an_amount", text=str(command.amount_micros), example="10.00")
    transfer = ledger_rows.top_up(
        row[0], command.amount_micros, row[2], stamp.new_id("topup"), stamp.call_ms
    )
    ledger_rows.post_entries(tx, [Entry(transfer)], stamp.wall_ms)
    account = ledger_rows.read_account(tx, row[0])
    left = 0 if account is None else available(account)
    fields = {
        "customer_id": row[0],
        "amount": Money(command.amount_micros, row[2]),
        "available": Money(left, row[2]),
    }
    return Done("topped_up", fields=fields)


# --- people -------------------------------------------------------------------------------------


def _people(
    tx: Tx,
    house: House,
    asker: Asker | None,
    command: AddUser | AddPhone | AddSender,
    stamp: Stamp,
) -> Outcome:
    match command:
        case AddUser():
            return _add_user(tx, asker, command, stamp)
        case AddPhone():
            return _add_phone(tx, asker, command, stamp)
        case AddSender():
            row = user_row(tx, command.user, asker)
            return joining.add_sender(tx, house, row, asker, command, stamp)


def _add_user(tx: Tx, asker: Asker | None, command: AddUser, stamp: Stamp) -> Outcome:
    row = customer_row(tx, command.customer, asker)
    if command.role not in ROLES:
        raise Stop("unknown_role", role=command.role, example="member")
    if not _is_region(command.country):
        raise Stop("unknown_region", region=command.country, example="GB")
    if not is_zone(command.timezone):
        raise Stop("unknown_zone", zone=command.timezone, example="Europe/London")
    user_id = stamp.new_id("user")
    tx.write(
        people_rows.INSERT_USER,
        id=user_id,
        customer_id=row[0],
        name=command.name,
        role=command.role,
        timezone=command.timezone,
        country=command.country,
        area_code="",
        state="active",
        default_phone_id="",
        password_hash="",
        created_wall_ms=stamp.wall_ms,
    )
    return Done("user_added", fields={"user_id": user_id, "name": command.name})


def _add_phone(tx: Tx, asker: Asker | None, command: AddPhone, stamp: Stamp) -> Outcome:
    row = user_row(tx, command.user, asker)
    number = numbering.normalise(command.number, Home(row.country, row.area_code))
    if isinstance(number, NumberProblem):
        raise Stop(str(number.code), number.fields)
    phones = tx.all(people_rows.PHONES, user_id=row.user_id)
    if any(phone.folded == fold(command.label) for phone in phones):
        raise Stop("name_taken", name=command.label)
    phone_id = stamp.new_id("phone")
    tx.write(
        people_rows.INSERT_PHONE,
        id=phone_id,
        user_id=row.user_id,
        label=command.label,
        folded=fold(command.label),
        number=number.digits,
        extension=number.extension,
        verified="operator" if command.trusted else "",
        accept_key=int(not command.trusted),
        created_wall_ms=stamp.wall_ms,
    )
    return Done(
        "phone_added",
        fields={"phone_id": phone_id, "label": command.label, "number": Phone(number.digits)},
    )


# --- access -------------------------------------------------------------------------------------


def _access(
    tx: Tx, asker: Asker | None, command: SetPassword | AddToken | RevokeToken, stamp: Stamp
) -> Outcome:
    match command:
        case SetPassword(user, password_hash):
            row = user_row(tx, user, asker)
            tx.write(people_rows.SET_PASSWORD, key_id=row.user_id, hash=password_hash)
            tx.write(access_rows.REVOKE_SESSIONS_OF, key_user_id=row.user_id, now=stamp.wall_ms)
            return Done("password_set", fields={"user_id": row.user_id})
        case AddToken():
            row = user_row(tx, command.user, asker)
            _refuse_wider_scopes(asker, command.scopes)
            token_id = stamp.new_id("tok")
            tx.write(
                access_rows.INSERT_TOKEN,
                id=token_id,
                user_id=row.user_id,
                hash=command.token_hash,
                label=command.label,
                scopes=",".join(command.scopes),
                created_wall_ms=stamp.wall_ms,
                expires_wall_ms=command.expires_wall_ms,
                last_used_wall_ms=None,
                revoked_wall_ms=None,
            )
            return Done("token_added", fields={"token_id": token_id, "label": command.label})
        case RevokeToken(token_id):
            owner = tx.one(TOKEN_OWNER, id=token_id)
            caller = None if owner is None else tx.one(people_rows.CALLER_OF_USER, user_id=owner[0])
            if caller is None or not _reaches(asker, caller):
                raise Stop("no_such_token", token_id=token_id)
            if tx.run(access_rows.REVOKE_ANY_TOKEN, key_id=token_id, now=stamp.wall_ms) != 1:
                raise Stop("no_such_token", token_id=token_id)
            return Done("token_revoked", fields={"token_id": token_id})


def _refuse_wider_scopes(asker: Asker | None, scopes: tuple[str, ...]) -> None:
    """Let nobody give a token more than they have themselves, or what does not exist."""
    allowed = tuple(Scope) if asker is None else asker.scopes
    for scope in scopes:
        if scope not in allowed or scope not in tuple(Scope):
            raise Stop("scope_missing", scope=scope)


# --- stopping -----------------------------------------------------------------------------------


def _stops(
    tx: Tx,
    house: House,
    asker: Asker | None,
    command: DisableUser | Freeze | Unfreeze | HangUpCall,
    stamp: Stamp,
) -> tuple[Outcome, list[Call]]:
    match command:
        case DisableUser(user):
            row = user_row(tx, user, asker)
            _wait_for_launches(tx, "user", row.user_id)
            tx.write(people_rows.SET_USER_STATE, key_id=row.user_id, state="disabled")
            tx.write(access_rows.REVOKE_SESSIONS_OF, key_user_id=row.user_id, now=stamp.wall_ms)
            calls = _stop_calls(tx, house, "user", row.user_id, stamp)
            fields: dict[str, Value] = {"user_id": row.user_id, "calls": len(calls)}
            return Done("user_disabled", fields=fields), calls
        case Freeze(kind, target, live):
            target = _freeze_target(tx, kind, target)
            if live:
                _wait_for_launches(tx, kind, target)
            tx.write(people_rows.FREEZE, kind=kind, target=target, created_wall_ms=stamp.wall_ms)
            calls = _stop_calls(tx, house, kind, target, stamp) if live else []
            fields = {"target": target or kind, "kind": kind, "calls": len(calls)}
            return Done("frozen", fields=fields), calls
        case Unfreeze(kind, target):
            target = _freeze_target(tx, kind, target)
            tx.write(people_rows.UNFREEZE, kind=kind, target=target)
            if kind == "all":
                # A database that came out of a backup is frozen as a whole; this releases it.
                restored.release_restored(tx)
            return Done("unfrozen", fields={"target": target or kind, "kind": kind}), []
        case HangUpCall(name):
            call = _live_call(tx, asker, name)
            stopped = control.stop_call(tx, house, call, Reason.STOPPED, stamp)
            return Done("hung_up", call.ref, call.id, {"call_id": call.id}), [stopped]


def _live_call(tx: Tx, asker: Asker | None, name: str) -> Call:
    for (call_id,) in tx.all(CALL_BY_NAME, name=name, ref=name.upper()):
        call = call_rows.load_call(tx, call_id, lock=True)
        if call is not None and (asker is None or call.customer_id == asker.customer.id):
            return call
    raise Stop("no_such_call", ref=name)


def _freeze_target(tx: Tx, kind: str, target: str) -> str:
    match kind:
        case "customer":
            return str(customer_row(tx, target)[0])
        case "user":
            return user_row(tx, target).user_id
        case "prefix":
            digits = target.removeprefix("+")
            if not digits.isdigit():
                raise Stop("not_a_prefix", text=target, example="+882")
            return digits
        case "all":
            return "all"
        case _:
            raise Stop("unknown_freeze", kind=kind, example="customer")


def _wait_for_launches(tx: Tx, kind: str, target: str) -> None:
    """Lock the accounts of those who will be stopped, as everybody does who lets a leg begin.

    A launch that was faster is committed and seen by what is read from here on; one that comes
    later waits, and then reads that it is stopped.
    """
    if kind == "customer":
        ledger_rows.lock_account(tx, target)
    elif kind == "user":
        ledger_rows.lock_account(tx, user_row(tx, target).customer_id)
    else:
        ledger_rows.lock_customers(tx)


def _stop_calls(tx: Tx, house: House, kind: str, target: str, stamp: Stamp) -> list[Call]:
    """End the running calls of what was frozen; each user gets a receipt that says so."""
    stopped = []
    for call_id, user_id, customer_id, _ in tx.all(RUNNING_CALLS):
        if kind in ("user", "customer") and target not in (user_id, customer_id):
            continue
        call = call_rows.load_call(tx, call_id, lock=True)
        if call is None or (kind == "prefix" and not _rings(call, target)):
            continue
        stopped.append(control.stop_call(tx, house, call, Reason.STOPPED, stamp))
    return stopped


def _rings(call: Call, prefix: str) -> bool:
    return any(leg.number.removeprefix("+").startswith(prefix) for leg in call.legs())
