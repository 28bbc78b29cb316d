"""What is asked before anything is done: is it an emergency, too old, from before a restore?

And who is written to when nobody vouches for the sender.
"""

from typing import get_args

from sqlalchemy import bindparam, select

from call_core import numbering
from call_core.commands import (
    Add,
    Answer,
    Command,
    Consent,
    Information,
    Launch,
    Move,
    Name,
    Next,
    Number,
    OwnPhone,
    Redial,
    Target,
    Who,
)
from call_core.customers.refusals import Refusal
from call_core.customers.trust import CHALLENGE_EVERY_S, challenge
from call_core.errors import ParseError
from call_core.outcomes import Refused, to_json
from call_core.requests import Request
from call_core.storage import ledger_rows, outbox_rows, record_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import questions
from call_core.units.caller import Ask, Asker, Stop, find_row, own_phones
from call_core.units.house import House, Stamp

_RINGS = (*get_args(Launch), Add, Redial, Move, OwnPhone)
_NEVER_STALE = (*get_args(Information), *get_args(Answer), *get_args(Consent), Next, Who)
_SHORT_NUMBER_DIGITS = 3
TOLD_SINCE = select_statement(
    select(tables.counters.c.bucket).where(
        tables.counters.c.subject == bindparam("subject"),
        tables.counters.c.kind == bindparam("kind"),
        tables.counters.c.bucket >= bindparam("since"),
    ),
    name="told_since",
)


def not_after_restore(asker: Asker, command: Command, house: House) -> None:
    """Refuse to ring for what was sent before the database was restored.

    It may have been launched in the hours that the backup does not know.
    """
    restored = house.restored_wall_ms
    if restored is None or not isinstance(command, _RINGS):
        return
    sent = asker.received_wall_ms if asker.sent_wall_ms is None else asker.sent_wall_ms
    if min(sent, asker.received_wall_ms) < restored:
        raise Stop("frozen_after_restore")


def emergency_here(tx: Tx, command: object, asker: Asker) -> None:
    """Refuse two-digit emergency numbers too, where the user is or has a phone."""
    short = [
        text
        for text in target_texts(command)
        if 0 < sum(letter.isdigit() for letter in text) <= _SHORT_NUMBER_DIGITS
    ]
    if not short:
        return
    numbers = [numbering.normalise(phone.number, asker.home) for phone in own_phones(tx, asker)]
    regions = {number.region for number in numbers if isinstance(number, numbering.E164)}
    for text in short:
        if numbering.is_emergency_in(text, sorted({asker.user.country, *regions})):
            raise Stop("emergency", digits=text.strip())


def target_texts(command: object) -> list[str]:
    """Return every target of a command as it was written, wherever it stands in it.

    Numbers of a line that could not be understood as a whole are targets too; a number that is
    only to be saved is not.
    """
    if isinstance(command, ParseError):
        numbers = command.fields.get("numbers", ())
        return [str(each) for each in numbers] if isinstance(numbers, list | tuple) else []
    written: list[Target] = []
    for name in ("to", "origin", "target"):
        value = getattr(command, name, None)
        if isinstance(value, Number | Name):
            written.append(value)
    if isinstance(command, OwnPhone) and command.number is not None:
        written.append(command.number)  # it is rung at once
    written += getattr(command, "participants", ())
    return [each.text for each in written if isinstance(each, Number | Name)]


def stale(asker: Asker, command: Command, house: House) -> None:
    """Ask instead of ringing when the message was long under way."""
    if asker.sent_wall_ms is None or isinstance(command, _NEVER_STALE):
        return
    age_ms = asker.received_wall_ms - asker.sent_wall_ms
    if age_ms > house.limits.stale_after_s * 1000 and "stale" not in asker.confirmed:
        raise Ask("stale", command=command, fields={"minutes": age_ms // 60_000})


def challenge_question(tx: Tx, asker: Asker, command: Command, stamp: Stamp) -> Stop | Ask:
    """Return the question to the address on file: somebody asked in your name, was it you?"""
    if asker.in_session or not asker.address:
        return Stop("unproven")  # whoever is in the session must not see the code
    if questions.open_question(tx, asker.user.id, stamp.wall_ms) is not None:
        # A stranger must not push aside what the user was asked.
        return Stop("challenge_too_soon", minutes=CHALLENGE_EVERY_S // 60)
    refusal = claimed_refusal(tx, asker, "challenge", stamp)
    if refusal is not None:
        return Stop(str(refusal.code), refusal.fields)
    texts = target_texts(command)
    return Ask(
        "challenge",
        command=command,
        secret=stamp.new_code(),
        fields={"to": _masked(texts[0], asker) if texts else "your last number"},
    )


def claimed_refusal(tx: Tx, asker: Asker, kind: str, stamp: Stamp) -> Refusal | None:
    """Count one more message to a user whom nobody vouched for; a refusal when it is too many."""
    # Of two that come at once the second sees the first.
    ledger_rows.lock_account(tx, asker.customer.id)
    sent = [
        row[0] * 1000
        for row in tx.all(
            TOLD_SINCE, subject=asker.user.id, kind=kind, since=stamp.wall_ms // 1000 - 86_400
        )
    ]
    refusal = challenge(sent, stamp.wall_ms, asker.user.timezone)
    if refusal is None:
        record_rows.count(tx, asker.user.id, kind, stamp.wall_ms // 1000)
    return refusal


def _masked(text: str, asker: Asker) -> str:
    number = numbering.normalise(text, asker.home)
    return numbering.masked(number) if isinstance(number, numbering.E164) else text


def note_emergency(tx: Tx, request: Request, answer: Refused, stamp: Stamp) -> None:
    """Put an emergency answer on the audit, and send it where no session shows it.

    Somebody whom nobody put on file gets it in the session only; there is no address to write to.
    """
    stamp = stamp.again()
    row = find_row(tx, request)
    actor = row.user_id if row is not None else ""
    tx.audit(AuditEntry(stamp.wall_ms, actor, "request.emergency", actor))
    if row is None or request.in_session or not request.sender:
        return
    outbox_rows.put(
        tx,
        outbox_id=stamp.new_id("msg"),
        user_id=row.user_id,
        channel=request.channel,
        address=request.sender,
        kind="outcome",
        body=to_json(answer),
        now_wall_ms=stamp.wall_ms,
        thread=request.thread,
        timezone=row.timezone,
    )
