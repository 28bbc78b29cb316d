"""Customers, users, their addresses, phones, directory, speed dials and billing codes."""

from typing import NamedTuple

from sqlalchemy import Integer, and_, bindparam, cast, delete, func, insert, or_, select, update

from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement

_C, _U, _S, _P, _D = (
    tables.customers,
    tables.users,
    tables.senders,
    tables.phones,
    tables.directory,
)


class CallerRow(NamedTuple):
    """A user with the customer who pays, and what every request asks besides.

    Attributes:
        deck_version: the version of the customer's tariff in force; None without such a tariff.
        frozen: all that the operator has frozen, a line of kind, space and target each; None when
            nothing is.
    """

    user_id: str
    user_name: str
    role: str
    timezone: str
    country: str
    area_code: str
    user_state: str
    default_phone_id: str
    password_hash: str
    customer_id: str
    customer_name: str
    currency: str
    plan: str
    credit_limit_micros: int
    tariff: str
    regions: str
    opted_in: str
    daily_spend_micros: int | None
    vouched_daily_spend_micros: int | None
    concurrent_calls: int | None
    billing_code_required: int
    customer_state: str
    launched_calls: int
    deck_version: int | None
    frozen: str | None


_CALLER_COLUMNS = (
    _U.c.id,
    _U.c.name,
    _U.c.role,
    _U.c.timezone,
    _U.c.country,
    _U.c.area_code,
    _U.c.state,
    _U.c.default_phone_id,
    _U.c.password_hash,
    _C.c.id,
    _C.c.name,
    _C.c.currency,
    _C.c.plan,
    _C.c.credit_limit_micros,
    _C.c.tariff,
    _C.c.regions,
    _C.c.opted_in,
    _C.c.daily_spend_micros,
    _C.c.vouched_daily_spend_micros,
    _C.c.concurrent_calls,
    _C.c.billing_code_required,
    _C.c.state,
    _C.c.launched_calls,
    select(tables.tariffs.c.active_version)
    .where(tables.tariffs.c.name == _C.c.tariff)
    .scalar_subquery(),
    select(
        func.aggregate_strings(tables.freezes.c.kind + " " + tables.freezes.c.target, "\n")
    ).scalar_subquery(),
)
_CALLERS = select(*_CALLER_COLUMNS).join(_C, _C.c.id == _U.c.customer_id)

CALLER_OF_SENDER = select_statement(
    _CALLERS.join(_S, _S.c.user_id == _U.c.id).where(
        _S.c.space == bindparam("space"), _S.c.address == bindparam("address")
    ),
    row=CallerRow._make,
    name="caller_of_sender",
)
CALLER_OF_USER = select_statement(
    _CALLERS.where(_U.c.id == bindparam("user_id")), row=CallerRow._make, name="caller_of_user"
)
CALLERS_BY_NAME = select_statement(
    _CALLERS.where(or_(_U.c.id == bindparam("name"), _U.c.name == bindparam("name"))),
    row=CallerRow._make,
    name="callers_by_name",
)
FIND_CUSTOMER = select_statement(
    select(_C.c.id, _C.c.name, _C.c.currency, _C.c.plan, _C.c.state).where(
        or_(_C.c.id == bindparam("name"), _C.c.name == bindparam("name"))
    ),
    name="find_customer",
)
INSERT_CUSTOMER = write_statement(insert(_C), name="insert_customer")
INSERT_USER = write_statement(insert(_U), name="insert_user")
SET_USER_STATE = write_statement(
    update(_U).where(_U.c.id == bindparam("key_id")).values(state=bindparam("state")),
    name="set_user_state",
)
SET_DEFAULT_PHONE = write_statement(
    update(_U)
    .where(_U.c.id == bindparam("key_id"))
    .values(default_phone_id=bindparam("default_phone_id")),
    name="set_default_phone",
)
SET_PASSWORD = write_statement(
    update(_U).where(_U.c.id == bindparam("key_id")).values(password_hash=bindparam("hash")),
    name="set_password",
)
COUNT_LAUNCH = write_statement(
    update(_C).where(_C.c.id == bindparam("key_id")).values(launched_calls=_C.c.launched_calls + 1),
    name="count_launch",
)

INSERT_SENDER = write_statement(insert(_S), name="insert_sender")
SENDERS = select_statement(
    select(_S.c.id, _S.c.space, _S.c.address, _S.c.channel, _S.c.opted_out)
    .where(_S.c.user_id == bindparam("user_id"))
    .order_by(_S.c.position, _S.c.created_wall_ms),
    name="senders_of_user",
)
SET_OPTED_OUT = write_statement(
    update(_S)
    .where(_S.c.space == bindparam("key_space"), _S.c.address == bindparam("key_address"))
    .values(opted_out=bindparam("opted_out")),
    name="set_opted_out",
)


class PhoneRow(NamedTuple):
    """One of a user's own phones; `verified` is "", "key" or "operator"."""

    id: str
    label: str
    folded: str
    number: str
    extension: str
    verified: str
    accept_key: int


PHONES = select_statement(
    select(*(_P.c[name] for name in PhoneRow._fields))
    .where(_P.c.user_id == bindparam("user_id"))
    .order_by(_P.c.created_wall_ms, _P.c.id),
    row=PhoneRow._make,
    name="phones_of_user",
)
INSERT_PHONE = write_statement(insert(_P), name="insert_phone")
SET_VERIFIED = write_statement(
    update(_P)
    .where(
        _P.c.user_id == bindparam("key_user_id"),
        _P.c.number == bindparam("key_number"),
        _P.c.extension == bindparam("key_extension"),
    )
    .values(verified="key"),
    name="set_verified",
)


class EntryRow(NamedTuple):
    """A directory entry; `user_id` is "" for the company's."""

    user_id: str
    folded: str
    name: str
    number: str
    extension: str


_ENTRY_COLUMNS = tuple(_D.c[name] for name in EntryRow._fields)
# PostgreSQL's substr takes an integer, and values come as bigint.
_LENGTH = cast(bindparam("length"), Integer)
_MINE = and_(
    _D.c.customer_id == bindparam("customer_id"), _D.c.user_id.in_([bindparam("user_id"), ""])
)
ENTRIES = select_statement(
    select(*_ENTRY_COLUMNS)
    .where(_MINE, func.substr(_D.c.folded, 1, _LENGTH) == bindparam("prefix"))
    .order_by(_D.c.folded, _D.c.user_id.desc())
    .limit(bindparam("most")),
    row=EntryRow._make,
    name="directory_entries",
)
ENTRY = select_statement(
    select(*_ENTRY_COLUMNS)
    .where(_MINE, _D.c.folded == bindparam("folded"))
    .order_by(_D.c.user_id.desc()),
    row=EntryRow._make,
    name="directory_entry",
)
SAVE_ENTRY = upsert_statement(
    lambda insert_into: (made := insert_into(_D)).on_conflict_do_update(
        index_elements=["customer_id", "user_id", "folded"],
        set_={
            "name": made.excluded.name,
            "number": made.excluded.number,
            "extension": made.excluded.extension,
        },
    ),
    name="save_directory_entry",
)
FORGET_ENTRY = write_statement(
    delete(_D).where(
        _D.c.customer_id == bindparam("customer_id"),
        _D.c.user_id == bindparam("user_id"),
        _D.c.folded == bindparam("folded"),
    ),
    name="forget_directory_entry",
)

SLOT = select_statement(
    select(tables.speed_dials.c.target).where(
        tables.speed_dials.c.user_id == bindparam("user_id"),
        tables.speed_dials.c.slot == bindparam("slot"),
    ),
    name="speed_dial",
)
SET_SLOT = upsert_statement(
    lambda insert_into: (made := insert_into(tables.speed_dials)).on_conflict_do_update(
        index_elements=["user_id", "slot"], set_={"target": made.excluded.target}
    ),
    name="set_speed_dial",
)
CLEAR_SLOT = write_statement(
    delete(tables.speed_dials).where(
        tables.speed_dials.c.user_id == bindparam("user_id"),
        tables.speed_dials.c.slot == bindparam("slot"),
    ),
    name="clear_speed_dial",
)
BILLING_CODE = select_statement(
    select(tables.billing_codes.c.code).where(
        tables.billing_codes.c.customer_id == bindparam("customer_id"),
        tables.billing_codes.c.code == bindparam("code"),
    ),
    name="billing_code",
)
ANY_BILLING_CODE = select_statement(
    select(tables.billing_codes.c.code)
    .where(tables.billing_codes.c.customer_id == bindparam("customer_id"))
    .order_by(tables.billing_codes.c.code)
    .limit(1),
    name="any_billing_code",
)
INSERT_BILLING_CODE = upsert_statement(
    lambda insert_into: insert_into(tables.billing_codes).on_conflict_do_nothing(
        index_elements=["customer_id", "code"]
    ),
    name="insert_billing_code",
)

FREEZE = upsert_statement(
    lambda insert_into: insert_into(tables.freezes).on_conflict_do_nothing(
        index_elements=["kind", "target"]
    ),
    name="freeze",
)
UNFREEZE = write_statement(
    delete(tables.freezes).where(
        tables.freezes.c.kind == bindparam("kind"), tables.freezes.c.target == bindparam("target")
    ),
    name="unfreeze",
)
