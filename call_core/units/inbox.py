"""Requests that are accepted now and done in a moment: written down, then handled as any other."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from call_core import request_json
from call_core.errors import ParseError
from call_core.requests import Evidence, Request
from call_core.storage import inbox_rows, request_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.inbox_rows import InboxRow
from call_core.storage.transaction import Tx
from call_core.units.caller import find_row
from call_core.units.handle import Driving, Handled, handle
from call_core.units.house import House, Stamp


class Kept(StrEnum):
    """What became of a request that was to be kept."""

    NEW = "new"
    """It is durable and will be done."""
    REPEATED = "repeated"
    """It was kept before and waits; it will be done once."""
    OTHER_CONTENT = "other_content"
    """Another one waits under the same external id."""
    NOT = "not"
    """It needs its answer at once: its sender is nobody's, or it is done already."""


def keep(tx: Tx, request: Request) -> Kept:
    """Write a request down; it is claimed when it is done."""
    row = find_row(tx, request)
    if row is None or request.evidence is Evidence.FORGED:
        return Kept.NOT
    principal = row.user_id
    if request_rows.find(tx, request, principal) is not None:
        return Kept.NOT
    claim = {
        "space": request.id_space,
        "principal": principal,
        "external_id": request.external_id,
    }
    written = tx.run(
        inbox_rows.KEEP,
        **claim,
        fingerprint=request.fingerprint,
        lane=zlib.crc32(principal.encode()),
        received_wall_ms=request.received_wall_ms,
        body=request_json.to_json(request),
    )
    if written == 1:
        tx.announce(inbox_rows.TOPIC)
        return Kept.NEW
    waiting = tx.one(inbox_rows.FINGERPRINT, **claim)
    if waiting is None or waiting[0] == request.fingerprint:
        return Kept.REPEATED
    tx.audit(
        AuditEntry(
            request.received_wall_ms,
            principal,
            "request.same_id_other_content",
            request.external_id,
            json.dumps({"channel": request.channel}),
        )
    )
    return Kept.OTHER_CONTENT


def do_kept(
    tx: Tx,
    house: House,
    rows: Sequence[InboxRow],
    stamps: Sequence[Stamp],
    driving: Driving,
) -> list[Handled]:
    """Do requests that were kept, and forget that they wait, all in one transaction.

    Args:
        tx: the transaction.
        house: the deployment.
        rows: of one principal, in their order.
        stamps: one for each.
        driving: as for `handle`.

    Returns:
        As `handle`, one for each; what another process did already is a repeat.
    """
    return [
        _done(tx, house, row, request_json.from_json(row.body), stamp, driving)
        for row, stamp in zip(rows, stamps, strict=True)
    ]


def give_up(
    tx: Tx,
    house: House,
    rows: Sequence[InboxRow],
    stamps: Sequence[Stamp],
    driving: Driving,
) -> list[Handled]:
    """Answer requests that a defect of ours keeps from being done: nothing was launched."""
    return [
        _done(tx, house, row, _failed(request_json.from_json(row.body)), stamp, driving)
        for row, stamp in zip(rows, stamps, strict=True)
    ]


def drop(tx: Tx, row: InboxRow, now_wall_ms: int) -> None:
    """Forget a request that cannot even be refused.

    The audit names it without its words: numbers in them could never be erased from there.
    """
    tx.write(inbox_rows.FORGET, key_seq=row.seq)
    tx.audit(AuditEntry(now_wall_ms, row.principal, "inbox.dropped", str(row.seq)))


def _done(
    tx: Tx,
    house: House,
    row: InboxRow,
    request: Request,
    stamp: Stamp,
    driving: Driving,
) -> Handled:
    handled = handle(tx, house, _aged(request, house, stamp.wall_ms), stamp, driving)
    tx.write(inbox_rows.FORGET, key_seq=row.seq)
    return handled


def _failed(request: Request) -> Request:
    return replace(request, command=ParseError("not_done"), replay_ids=())


def _aged(request: Request, house: House, now_wall_ms: int) -> Request:
    """Let a request that waited for long ask before it rings anybody, as one long under way."""
    if now_wall_ms - request.received_wall_ms <= house.limits.stale_after_s * 1000:
        return request
    sent = request.received_wall_ms if request.sent_wall_ms is None else request.sent_wall_ms
    return replace(request, sent_wall_ms=sent, received_wall_ms=now_wall_ms)
