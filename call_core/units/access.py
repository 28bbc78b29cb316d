"""Signing in: one-time codes, passwords, sessions and tokens, as units.

Secrets are made and hashed outside; a unit sees hashes only, except the one-time code that must
go out by mail, which stands in the outbox until it is sent.
"""

import hashlib
import re

from call_core.contracts import Principal
from call_core.notices import Notice, to_json
from call_core.storage import access_rows, outbox_rows, people_rows, record_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.transaction import Tx
from call_core.units.house import DAY_MS, Stamp

MAIL_SPACE = "mail"
SIGN_IN = "sign_in"
CODE_TTL_S = 600
CODE_TRIES = 5
CODE_EVERY_S = 60
"""A new code is sent at most so often, so that nobody fills a mailbox or guesses for ever."""
CODES_PER_DAY = 20
SESSION_TTL_MS = 30 * DAY_MS
TOUCH_EVERY_MS = 60_000
PERSON_SCOPES = ("read", "call", "admin")
DEVICE_CHANNEL = "packet"
DEVICE_LABEL = f"{DEVICE_CHANNEL} "
_DEVICE_ID = re.compile(r"[0-9a-f]{16,64}")
_BEHIND_EVERY_DIGIT = "g"  # sorts after every hexadecimal digit


def hash_of(secret: str) -> str:
    """Return the form in which sessions, tokens and codes are stored; they are random enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def start_sign_in(tx: Tx, address: str, stamp: Stamp) -> bool:
    """Send a one-time code to a mail address on file; False when nothing was sent."""
    stamp = stamp.again()
    row = tx.one(access_rows.USER_OF_ADDRESS, space=MAIL_SPACE, address=address)
    # An unknown address is counted too: its answer takes a commit, as that of a known one does.
    subject = "" if row is None else str(row[0])
    day = stamp.wall_ms // DAY_MS
    # Before it is looked at: of two that ask at once the second waits, and sees the first.
    record_rows.count(tx, subject, SIGN_IN, day)
    asked = record_rows.counted(tx, subject, SIGN_IN, day)
    if row is None or asked > CODES_PER_DAY or _sent_just_now(tx, address, stamp):
        return False
    user_id, _, channel = row
    code = stamp.new_code()
    tx.write(
        access_rows.PUT_CODE,
        address=address,
        user_id=user_id,
        hash=hash_of(code),
        expires_wall_ms=stamp.wall_ms + CODE_TTL_S * 1000,
        tries=0,
    )
    notice = Notice("sign_in_code", "", {"code": code}, CODE_TTL_S)
    outbox_rows.put(
        tx,
        outbox_id=stamp.new_id("msg"),
        user_id=user_id,
        channel=channel,
        address=address,
        kind="notice",
        body=to_json(notice),
        now_wall_ms=stamp.wall_ms,
        expires_wall_ms=stamp.wall_ms + CODE_TTL_S * 1000,
    )
    tx.audit(AuditEntry(stamp.wall_ms, user_id, "access.code_sent", user_id))
    return True


def _sent_just_now(tx: Tx, address: str, stamp: Stamp) -> bool:
    row = tx.one(access_rows.CODE, address=address)
    return row is not None and row[2] - CODE_TTL_S * 1000 > stamp.wall_ms - CODE_EVERY_S * 1000


def use_code(tx: Tx, address: str, code: str, stamp: Stamp) -> str | None:
    """Return whose right one-time code it is; it works once, and five wrong tries end it."""
    # Counted first: that locks the row, so of many tries at once each sees those before it.
    if tx.run(access_rows.COUNT_TRY, key_address=address) != 1:
        return None
    row = tx.one(access_rows.CODE, address=address)
    if row is None or row[2] < stamp.wall_ms or row[3] > CODE_TRIES:
        return None
    if row[1] != hash_of(code):
        return None
    tx.write(access_rows.FORGET_CODE, address=address)
    return str(row[0])


def open_session(tx: Tx, user_id: str, address: str, session_hash: str, stamp: Stamp) -> None:
    """Write a session; its token is known to the browser only."""
    tx.write(
        access_rows.INSERT_SESSION,
        hash=session_hash,
        user_id=user_id,
        address=address,
        created_wall_ms=stamp.wall_ms,
        expires_wall_ms=stamp.wall_ms + SESSION_TTL_MS,
        revoked_wall_ms=None,
    )
    tx.audit(AuditEntry(stamp.wall_ms, user_id, "access.signed_in", user_id))


def password_candidates(tx: Tx, name: str) -> list[tuple[str, str]]:
    """Return `(user id, password hash)` of users whom a name or mail address may mean."""
    row = tx.one(access_rows.USER_OF_ADDRESS, space=MAIL_SPACE, address=name)
    ids = (
        [row[0]]
        if row is not None
        else [r[0] for r in tx.all(access_rows.USERS_OF_NAME, name=name)]
    )
    found = []
    for user_id in ids:
        stored = tx.one(access_rows.PASSWORD, user_id=user_id)
        if stored is not None and stored[0]:
            found.append((str(user_id), str(stored[0])))
    return found


def principal(
    tx: Tx, user_id: str, scopes: tuple[str, ...], session_id: str, address: str
) -> Principal | None:
    """Return an active user as pages know them; None when disabled."""
    row = tx.one(people_rows.CALLER_OF_USER, user_id=user_id)
    if row is None or row.user_state != "active":
        return None
    return Principal(
        user_id=row.user_id,
        user_name=row.user_name,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        role=row.role,
        timezone=row.timezone,
        country=row.country,
        currency=row.currency,
        scopes=scopes,
        session_id=session_id,
        address=address,
    )


def principal_of_session(tx: Tx, session_hash: str, now_wall_ms: int) -> Principal | None:
    """Return who a session belongs to."""
    row = tx.one(access_rows.SESSION, hash=session_hash, now=now_wall_ms)
    if row is None:
        return None
    return principal(tx, row[0], PERSON_SCOPES, session_hash[:16], row[1])


def token_row(tx: Tx, token_hash: str, now_wall_ms: int) -> tuple[str, Principal, bool] | None:
    """Return `(token id, who, whether its last use should be noted)` of a token that works."""
    row = tx.one(access_rows.TOKEN, hash=token_hash)
    if row is None:
        return None
    token_id, user_id, scopes, expires, used = row
    if expires is not None and expires < now_wall_ms:
        return None
    who = principal(tx, user_id, tuple(scopes.split(",")), token_id, "")
    if who is None:
        return None
    return token_id, who, used is None or now_wall_ms - used > TOUCH_EVERY_MS


def device(tx: Tx, device_id: str, now_wall_ms: int) -> tuple[Principal, bytes] | None:
    """Return who a device belongs to and the hash of its token; None when there is no such device.

    A device is a token made for it: the label says so. Of any other token, a pager's secret above
    all, which travels in the clear, the hash opens nothing.
    """
    if not _DEVICE_ID.fullmatch(device_id):
        return None
    behind = device_id + _BEHIND_EVERY_DIGIT
    for token_hash, label in tx.all(access_rows.DEVICE, first=device_id, behind=behind):
        found = token_row(tx, token_hash, now_wall_ms) if label.startswith(DEVICE_LABEL) else None
        if found is not None:
            return found[1], bytes.fromhex(token_hash)
    return None


def touch_token(tx: Tx, token_id: str, now_wall_ms: int) -> None:
    """Note that a token was used."""
    tx.write(access_rows.TOUCH_TOKEN, key_id=token_id, now=now_wall_ms)


def sign_out(tx: Tx, session_hash: str, now_wall_ms: int) -> None:
    """Revoke a session."""
    tx.write(access_rows.REVOKE_SESSION, key_hash=session_hash, now=now_wall_ms)
