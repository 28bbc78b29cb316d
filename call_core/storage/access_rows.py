"""Passwords, sessions, one-time codes and API tokens; only hashes are stored."""

from sqlalchemy import bindparam, delete, insert, or_, select, update

from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement

_K, _T, _N = tables.sign_in_codes, tables.tokens, tables.sessions
_S, _U = tables.senders, tables.users

USER_OF_ADDRESS = select_statement(
    select(_S.c.user_id, _S.c.address, _S.c.channel)
    .join(_U, _U.c.id == _S.c.user_id)
    .where(
        _S.c.space == bindparam("space"),
        _S.c.address == bindparam("address"),
        _U.c.state == "active",
    ),
    name="user_of_address",
)
USERS_OF_NAME = select_statement(
    select(_U.c.id).where(
        or_(_U.c.name == bindparam("name"), _U.c.id == bindparam("name")), _U.c.state == "active"
    ),
    name="users_of_name",
)
PASSWORD = select_statement(
    select(_U.c.password_hash).where(_U.c.id == bindparam("user_id")), name="password_hash"
)
PUT_CODE = upsert_statement(
    lambda insert_into: (made := insert_into(_K)).on_conflict_do_update(
        index_elements=["address"],
        set_={
            "user_id": made.excluded.user_id,
            "hash": made.excluded.hash,
            "expires_wall_ms": made.excluded.expires_wall_ms,
            "tries": 0,
        },
    ),
    name="put_sign_in_code",
)
CODE = select_statement(
    select(_K.c.user_id, _K.c.hash, _K.c.expires_wall_ms, _K.c.tries).where(
        _K.c.address == bindparam("address")
    ),
    name="sign_in_code",
)
COUNT_TRY = write_statement(
    update(_K).where(_K.c.address == bindparam("key_address")).values(tries=_K.c.tries + 1),
    name="count_sign_in_try",
)
FORGET_CODE = write_statement(
    delete(_K).where(_K.c.address == bindparam("address")), name="forget_sign_in_code"
)
INSERT_SESSION = write_statement(insert(_N), name="insert_session")
SESSION = select_statement(
    select(_N.c.user_id, _N.c.address).where(
        _N.c.hash == bindparam("hash"),
        _N.c.revoked_wall_ms.is_(None),
        _N.c.expires_wall_ms > bindparam("now"),
    ),
    name="session",
)
REVOKE_SESSION = write_statement(
    update(_N).where(_N.c.hash == bindparam("key_hash")).values(revoked_wall_ms=bindparam("now")),
    name="revoke_session",
)
REVOKE_SESSIONS_OF = write_statement(
    update(_N)
    .where(_N.c.user_id == bindparam("key_user_id"), _N.c.revoked_wall_ms.is_(None))
    .values(revoked_wall_ms=bindparam("now")),
    name="revoke_sessions_of_user",
)
FORGET_SESSIONS = write_statement(
    delete(_N).where(_N.c.expires_wall_ms < bindparam("before")), name="forget_sessions"
)
INSERT_TOKEN = write_statement(insert(_T), name="insert_token")
TOKEN = select_statement(
    select(_T.c.id, _T.c.user_id, _T.c.scopes, _T.c.expires_wall_ms, _T.c.last_used_wall_ms).where(
        _T.c.hash == bindparam("hash"), _T.c.revoked_wall_ms.is_(None)
    ),
    name="token",
)
DEVICE = select_statement(
    select(_T.c.hash, _T.c.label).where(
        _T.c.hash >= bindparam("first"),
        _T.c.hash < bindparam("behind"),
        _T.c.revoked_wall_ms.is_(None),
    ),
    name="device",
)
TOKENS = select_statement(
    select(
        _T.c.id,
        _T.c.label,
        _T.c.scopes,
        _T.c.created_wall_ms,
        _T.c.expires_wall_ms,
        _T.c.last_used_wall_ms,
    )
    .where(_T.c.user_id == bindparam("user_id"), _T.c.revoked_wall_ms.is_(None))
    .order_by(_T.c.created_wall_ms),
    name="tokens_of_user",
)
TOUCH_TOKEN = write_statement(
    update(_T).where(_T.c.id == bindparam("key_id")).values(last_used_wall_ms=bindparam("now")),
    name="touch_token",
)
REVOKE_TOKEN = write_statement(
    update(_T)
    .where(
        _T.c.id == bindparam("key_id"),
        _T.c.user_id == bindparam("key_user_id"),
        _T.c.revoked_wall_ms.is_(None),
    )
    .values(revoked_wall_ms=bindparam("now")),
    name="revoke_token",
)
REVOKE_ANY_TOKEN = write_statement(
    update(_T)
    .where(_T.c.id == bindparam("key_id"), _T.c.revoked_wall_ms.is_(None))
    .values(revoked_wall_ms=bindparam("now")),
    name="revoke_any_token",
)
