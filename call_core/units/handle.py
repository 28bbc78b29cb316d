"""One request, from claim to outcome, in one transaction: what the door runs."""

import json
from dataclasses import dataclass, replace
from typing import get_args

from sqlalchemy import bindparam, select

from call_core import numbering
from call_core.administration import Administration
from call_core.calls.model import Call
from call_core.commands import (
    Answer,
    Choose,
    Command,
    Conference,
    Confirm,
    Consent,
    Control,
    DirectoryChange,
    Information,
    Last,
    Launch,
    Name,
    Number,
    OptOut,
    Schedule,
    SetBillingCode,
    Target,
)
from call_core.commands import Call as CallCommand
from call_core.customers.trust import (
    Permission,
    TrustContext,
    challenge,
    permission,
    refusal_of,
    scope_of,
)
from call_core.errors import ParseError
from call_core.outcomes import Asked, Done, Outcome, Phrase, Refused, from_json, to_json
from call_core.requests import Evidence, Request
from call_core.storage import call_rows, outbox_rows, people_rows, record_rows, request_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import (
    administration,
    calendar,
    changes,
    control,
    directory,
    find_call,
    information,
    launch,
    questions,
)
from call_core.units.caller import (
    Ask,
    Asker,
    Choice,
    Stop,
    asker_of,
    find_row,
    read_frozen,
)
from call_core.units.house import House, Stamp

_LAUNCHES = get_args(Launch)
_NEVER_STALE = get_args(Information)
_C = tables.calls
RECENT_LAUNCHES = select_statement(
    select(tables.requests.c.text, _C.c.ref, _C.c.state, _C.c.talk_call_ms, _C.c.reason)
    .join(_C, _C.c.request_id == tables.requests.c.id)
    .where(
        tables.requests.c.user_id == bindparam("user_id"),
        tables.requests.c.sender == bindparam("sender"),
        tables.requests.c.received_wall_ms >= bindparam("since"),
        tables.requests.c.id != bindparam("request_id"),
    )
    .order_by(tables.requests.c.received_wall_ms.desc())
    .limit(5),
    name="recent_launches",
)


@dataclass(frozen=True, slots=True)
class Handled:
    """What the door does after the commit.

    Attributes:
        outcome: the typed answer.
        launched: a call to be driven from now on.
        changed: calls that were changed and whose driver must read them again.
        repeated: the same request was seen before; nothing was done now.
    """

    outcome: Outcome
    launched: Call | None = None
    changed: tuple[str, ...] = ()
    repeated: bool = False


def handle(tx: Tx, house: House, request: Request, stamp: Stamp) -> Handled:
    """Do a request exactly once.

    Returns:
        The outcome; for a repeat, the stored one.
    """
    stamp = stamp.again()
    row = find_row(tx, request)
    if isinstance(request.command, Administration) and request.channel == "cli":
        return _operate(tx, house, request, stamp)
    if row is None or request.evidence is Evidence.FORGED:
        return Handled(Refused("unknown_sender"))
    request_id = stamp.new_id("req")
    principal = row.user_id
    if not request_rows.claim(tx, request, request_id, principal, row.user_id):
        return _repeat(tx, request, principal)
    asker = asker_of(row, request, request_id, house, read_frozen(tx))
    handled = _decide(tx, house, asker, request, stamp)
    _answer(tx, asker, request, handled, stamp)
    return handled


def _operate(tx: Tx, house: House, request: Request, stamp: Stamp) -> Handled:
    """Do an operator's command; there is no user, so the claim is the operator's."""
    assert isinstance(request.command, Administration), request
    request_id = stamp.new_id("req")
    if not request_rows.claim(tx, request, request_id, "operator", ""):
        return _repeat(tx, request, "operator")
    try:
        outcome, calls = administration.administer(tx, house, "operator", request.command, stamp)
    except Stop as stop:
        outcome, calls = stop.outcome, []
    tx.write(
        request_rows.ANSWER, key_id=request_id, outcome=to_json(outcome), call_id=_call_id(outcome)
    )
    return Handled(outcome, changed=tuple(call.id for call in calls))


def _repeat(tx: Tx, request: Request, principal: str) -> Handled:
    stored = request_rows.find(tx, request, principal)
    assert stored is not None, request.external_id
    if stored.fingerprint != request.fingerprint:
        tx.audit(
            AuditEntry(
                request.received_wall_ms,
                principal,
                "request.same_id_other_content",
                stored.id,
                json.dumps({"channel": request.channel}),
            )
        )
        return Handled(Refused("same_id_other_content"))
    return Handled(from_json(stored.outcome), repeated=True)


def _answer(tx: Tx, asker: Asker, request: Request, handled: Handled, stamp: Stamp) -> None:
    """Store the outcome, and put it in the outbox when the channel does not answer by itself."""
    outcome = handled.outcome
    call_id = _call_id(outcome)
    tx.write(
        request_rows.ANSWER, key_id=asker.request_id, outcome=to_json(outcome), call_id=call_id
    )
    if request.in_session or not asker.address or isinstance(request.command, OptOut):
        return
    outbox_rows.put(
        tx,
        outbox_id=stamp.new_id("msg"),
        user_id=asker.user.id,
        channel=asker.channel,
        address=asker.address,
        kind="outcome",
        body=to_json(outcome),
        now_wall_ms=stamp.wall_ms,
        call_id=call_id,
        ref=outcome.ref,
        thread=asker.thread,
        timezone=asker.user.timezone,
    )


def _call_id(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Asked) else getattr(outcome, "call_id", "")


def _decide(tx: Tx, house: House, asker: Asker, request: Request, stamp: Stamp) -> Handled:
    if not request_rows.claim_replays(tx, request, asker.request_id):
        return Handled(Refused("replayed"))
    try:
        if isinstance(request.command, ParseError):
            return Handled(_unreadable(tx, house, asker, request.command, stamp))
        command = _with_thread_ref(request.command, request.reply_to_ref)
        return _command(tx, house, asker, command, stamp)
    except Stop as stop:
        return Handled(stop.outcome)
    except Ask as ask:
        return Handled(questions.put(tx, house, asker, ask, stamp))


def _with_thread_ref(
    command: Command | Administration, ref: str | None
) -> Command | Administration:
    """Let a reply to our mail control that call, when it names no other."""
    if ref is None or not isinstance(command, Control | Confirm | Choose):
        return command
    return command if command.ref is not None else replace(command, ref=ref)


def _unreadable(tx: Tx, house: House, asker: Asker, error: ParseError, stamp: Stamp) -> Outcome:
    fields = {name: _plain(value) for name, value in error.fields.items()}
    numbers = error.fields.get("numbers")
    if error.code == "two_numbers" and isinstance(numbers, tuple | list):
        first, second = (Number(str(each)) for each in list(numbers)[:2])
        made = (
            Choice(Phrase("choice_number", {"number": first.text}), CallCommand(first)),
            Choice(Phrase("choice_number", {"number": second.text}), CallCommand(second)),
            Choice(
                Phrase("choice_both", {"first": first.text, "second": second.text}),
                Conference((first, second)),
            ),
        )
        return questions.put(tx, house, asker, Ask("two_numbers", choices=made), stamp)
    return Refused(error.code, fields=fields)


def _plain(value: object) -> str | int:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return value if isinstance(value, int) else str(value)


def _command(
    tx: Tx, house: House, asker: Asker, command: Command | Administration, stamp: Stamp
) -> Handled:
    _emergency_here(command, asker)
    granted = permission(
        command, asker.evidence, asker.user.role, _trust(tx, asker, command, stamp)
    )
    refusal = refusal_of(granted, scope_of(type(command)))
    if refusal is not None:
        raise Stop(str(refusal.code), refusal.fields)
    if isinstance(command, Administration):
        outcome, calls = administration.administer(tx, house, asker.user.id, command, stamp)
        return Handled(outcome, changed=tuple(call.id for call in calls))
    if granted is Permission.CHALLENGE:
        raise _challenge(tx, asker, command, stamp)
    confirm = granted is Permission.CONFIRM_FROM_PROVEN and not isinstance(command, _LAUNCHES)
    if confirm and "confirm_from_proven" not in asker.confirmed:
        raise Ask("confirm_from_proven", command=command, needs_proven=True)
    _stale(asker, command, house)
    return _dispatch(tx, house, asker, command, stamp)


def _trust(tx: Tx, asker: Asker, command: Command | Administration, stamp: Stamp) -> TrustContext:
    matches = isinstance(command, Confirm) and questions.code_matches(
        tx, asker.user.id, command, stamp.wall_ms
    )
    return TrustContext(
        scopes=asker.scopes,
        new_directory_number=type(command).__name__ == "Save",
        code_matches=matches,
        limits=asker.customer.limits,
    )


def _emergency_here(command: object, asker: Asker) -> None:
    """Refuse two-digit emergency numbers too, now that the user's country is known."""
    for text in target_texts(command):
        if numbering.is_emergency_in(text, [asker.user.country]):
            raise Stop("emergency", digits=text.strip())


def target_texts(command: object) -> list[str]:
    """Return every target of a command as it was written, wherever it stands in it."""
    written: list[Target] = []
    for name in ("to", "origin", "target", "number"):
        value = getattr(command, name, None)
        if isinstance(value, Number | Name):
            written.append(value)
    written += getattr(command, "participants", ())
    return [each.text for each in written if isinstance(each, Number | Name)]


def _stale(asker: Asker, command: Command, house: House) -> None:
    """Ask instead of ringing when the message was long under way."""
    if asker.sent_wall_ms is None or isinstance(command, _NEVER_STALE | Answer | Consent):
        return
    age_s = (asker.received_wall_ms - asker.sent_wall_ms) // 1000
    if age_s > house.limits.stale_after_s and "stale" not in asker.confirmed:
        raise Ask("stale", command=command, fields={"minutes": age_s // 60})


def _challenge(tx: Tx, asker: Asker, command: Command, stamp: Stamp) -> Stop | Ask:
    """Return the question to the address on file: somebody asked in your name, was it you?"""
    sent = [
        row[0]
        for row in tx.all(
            CHALLENGES_SENT, subject=asker.user.id, since=stamp.wall_ms // 1000 - 86_400
        )
    ]
    refusal = challenge([each * 1000 for each in sent], stamp.wall_ms, asker.user.timezone)
    if refusal is not None:
        return Stop(str(refusal.code), refusal.fields)
    record_rows.count(tx, asker.user.id, "challenge", stamp.wall_ms // 1000)
    texts = target_texts(command)
    return Ask(
        "challenge",
        command=command,
        secret=stamp.new_code(),
        fields={"to": _masked(texts[0], asker) if texts else "your last number"},
    )


def _masked(text: str, asker: Asker) -> str:
    number = numbering.normalise(text, asker.home)
    return numbering.masked(number) if isinstance(number, numbering.E164) else text


CHALLENGES_SENT = select_statement(
    select(tables.counters.c.bucket).where(
        tables.counters.c.subject == bindparam("subject"),
        tables.counters.c.kind == "challenge",
        tables.counters.c.bucket >= bindparam("since"),
    ),
    name="challenges_sent",
)


def _dispatch(tx: Tx, house: House, asker: Asker, command: Command, stamp: Stamp) -> Handled:
    match command:
        case CallCommand() | Conference():
            _same_again(tx, house, asker, command)
            outcome, call = launch.launch(tx, house, asker, command, stamp)
            return Handled(outcome, launched=call)
        case Last():
            return _last(tx, house, asker, stamp)
        case Confirm() | Choose():
            answered = questions.answer(tx, asker, command, stamp)
            return _again(tx, house, answered.asker, answered.command, stamp)
        case _:
            return _dispatch_rest(tx, house, asker, command, stamp)


def _again(tx: Tx, house: House, asker: Asker, command: Command, stamp: Stamp) -> Handled:
    """Do what was confirmed.

    Whoever answers is known at least as surely as the question demanded, so what was merely
    claimed before counts as vouched for now.
    """
    surer = replace(asker, evidence=max(asker.evidence, Evidence.VOUCHED))
    return _command(tx, house, surer, command, stamp)


def _dispatch_rest(tx: Tx, house: House, asker: Asker, command: Command, stamp: Stamp) -> Handled:
    match command:
        case _ if isinstance(command, Control):
            outcome, call = control.control(tx, house, asker, command, stamp)
            return Handled(outcome, changed=(call.id,))
        case _ if isinstance(command, DirectoryChange):
            return Handled(directory.change(tx, house, asker, command, stamp))
        case _ if isinstance(command, Schedule):
            return Handled(calendar.calendar(tx, house, asker, command, stamp))
        case _ if isinstance(command, Information):
            return Handled(information.inform(tx, house, asker, command, stamp))
        case SetBillingCode():
            return Handled(_set_billing_code(tx, asker, command, stamp))
        case _:
            return Handled(_consent(tx, asker, command))


def _last(tx: Tx, house: House, asker: Asker, stamp: Stamp) -> Handled:
    call = find_call.last(tx, asker)
    others = call.others
    people = tuple(
        Number(_written(party.last_leg.number, party.last_leg.post_dial)) for party in others
    )
    command = CallCommand(people[0]) if len(people) == 1 else Conference(people)
    outcome, launched = launch.launch(tx, house, asker, command, stamp)
    return Handled(outcome, launched=launched)


def _written(number: str, extension: str) -> str:
    return f"{number} x{extension}" if extension else number


def _same_again(tx: Tx, house: House, asker: Asker, command: CallCommand | Conference) -> None:
    """Ask when the same sender repeats under a new id while the first call lives or connected."""
    if {"same_again", "which_name"} & asker.confirmed or not asker.text:
        return
    since = asker.received_wall_ms - house.limits.repeat_window_s * 1000
    rows = tx.all(
        RECENT_LAUNCHES,
        user_id=asker.user.id,
        sender=asker.address,
        since=since,
        request_id=asker.request_id,
    )
    words = " ".join(asker.text.split()).casefold()
    for text, ref, state, talked, _ in rows:
        same = " ".join(text.split()).casefold() == words
        if same and (state != "ENDED" or talked is not None):
            raise Ask("same_again", command=command, fields={"earlier": ref})


def _set_billing_code(tx: Tx, asker: Asker, command: SetBillingCode, stamp: Stamp) -> Outcome:
    call = find_call.by_ref(tx, asker, command.ref, lock=True)
    code = command.billing_code
    known = tx.one(people_rows.BILLING_CODE, customer_id=asker.customer.id, code=code)
    any_code = tx.one(people_rows.ANY_BILLING_CODE, customer_id=asker.customer.id)
    if known is None and any_code is not None:
        raise Stop("billing_code_unknown", billing_code=code, ref=call.ref, example=any_code[0])
    stored = call_rows.save_call(tx, call, replace(call, billing_code=code), stamp.wall_ms)
    for leg in call.legs():
        if leg.settled:
            tx.write(
                record_rows.INSERT_AMENDMENT,
                id=stamp.new_id("amd"),
                cdr_id=changes.cdr_id(leg),
                call_id=call.id,
                field="billing_code",
                old=call.billing_code,
                new=code,
                reason="corrected",
                actor=asker.user.id,
                transfer_id="",
                at_wall_ms=stamp.wall_ms,
            )
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "call.billing_code", call.id))
    return Done("billing_code_set", stored.ref, stored.id, {"code": code})


def _consent(tx: Tx, asker: Asker, command: Command) -> Outcome:
    out = isinstance(command, OptOut)
    tx.write(
        people_rows.SET_OPTED_OUT,
        key_space=asker.space,
        key_address=asker.address,
        opted_out=int(out),
    )
    return Done("opted_out" if out else "opted_in")
