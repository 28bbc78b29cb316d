"""Requests: claimed once, answered once, their typed outcome kept for repeats."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, literal_column, select, update

from call_core.requests import Request
from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx

_R, _C = tables.requests, tables.calls


class StoredRequest(NamedTuple):
    """A request that was seen before; `outcome` is its typed answer as JSON."""

    id: str
    fingerprint: str
    outcome: str
    call_id: str


CLAIM = upsert_statement(
    lambda insert_into: insert_into(_R).on_conflict_do_nothing(
        index_elements=["space", "principal", "external_id"]
    ),
    name="claim_request",
)
FIND = select_statement(
    select(_R.c.id, _R.c.fingerprint, _R.c.outcome, _R.c.call_id).where(
        _R.c.space == bindparam("space"),
        _R.c.principal == bindparam("principal"),
        _R.c.external_id == bindparam("external_id"),
    ),
    row=StoredRequest._make,
    name="find_request",
)
ANSWER = write_statement(
    update(_R)
    .where(_R.c.id == bindparam("key_id"))
    .values(outcome=bindparam("outcome"), call_id=bindparam("call_id")),
    name="answer_request",
)
CLAIM_REPLAY = upsert_statement(
    lambda insert_into: insert_into(tables.replay_claims).on_conflict_do_nothing(
        index_elements=["space", "replay_id"]
    ),
    name="claim_replay",
)
FORGET_CLAIMS = write_statement(
    delete(_R).where(
        _R.c.received_wall_ms < bindparam("before"),
        ~select(_C.c.id).where(_C.c.id == _R.c.call_id, _C.c.ended_wall_ms.is_(None)).exists(),
    ),
    name="forget_requests",
)
"""But not that of a call that has not ended: how surely its user was known decides on its day."""
FORGET_REPLAYS = write_statement(
    delete(tables.replay_claims).where(tables.replay_claims.c.seen_wall_ms < bindparam("before")),
    name="forget_replays",
)
ERASE_TEXTS = write_statement(
    update(_R)
    .where(_R.c.received_wall_ms < bindparam("before"), _R.c.text != literal_column("''"))
    .values(text="", thread=""),
    name="erase_texts",
)


def claim(tx: Tx, request: Request, request_id: str, principal: str, user_id: str) -> bool:
    """Write the request's row; False when the same external id is there already."""
    return (
        tx.run(
            CLAIM,
            id=request_id,
            space=request.id_space,
            principal=principal,
            external_id=request.external_id,
            fingerprint=request.fingerprint,
            channel=request.channel,
            user_id=user_id,
            sender=request.sender,
            evidence=int(request.evidence),
            received_wall_ms=request.received_wall_ms,
            sent_wall_ms=request.sent_wall_ms,
            text=request.text,
            thread=request.thread,
            outcome="",
            call_id="",
        )
        == 1
    )


def find(tx: Tx, request: Request, principal: str) -> StoredRequest | None:
    """Return the stored request with the same external id."""
    return tx.one(
        FIND, space=request.id_space, principal=principal, external_id=request.external_id
    )


def claim_replays(tx: Tx, request: Request, request_id: str) -> bool:
    """Write ids that must never come again; False when one of them was seen before."""
    fresh = True
    for replay_id in request.replay_ids:
        fresh &= (
            tx.run(
                CLAIM_REPLAY,
                space=request.id_space,
                replay_id=replay_id,
                request_id=request_id,
                seen_wall_ms=request.received_wall_ms,
            )
            == 1
        )
    return fresh
