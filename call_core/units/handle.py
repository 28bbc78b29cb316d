"""One request, from claim to outcome, in one transaction: what the door runs."""

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, get_args

from sqlalchemy import bindparam, select

from call_core.administration import Administration
from call_core.calls.model import Call, CallState
from call_core.commands import (
    Belonging,
    Choose,
    Command,
    Conference,
    Confirm,
    Control,
    DirectoryChange,
    HangUp,
    Information,
    Last,
    Launch,
    Number,
    OptOut,
    Save,
    Schedule,
    SetBillingCode,
    SetSlot,
)
from call_core.commands import Call as CallCommand
from call_core.customers.trust import (
    Permission,
    TrustContext,
    permission,
    refusal_of,
    scope_of,
)
from call_core.errors import ParseError
from call_core.outcomes import Asked, Done, Outcome, Phrase, Refused, from_json, to_json
from call_core.requests import Evidence, Request
from call_core.storage import ledger_rows, outbox_rows, people_rows, request_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import (
    administration,
    belongings,
    calendar,
    changes,
    control,
    corrections,
    directory,
    find_call,
    gate,
    information,
    joining,
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
)
from call_core.units.house import House, Stamp

_LAUNCHES = get_args(Launch)
_OVER = (str(CallState.ENDING), str(CallState.ENDED))
_C = tables.calls
RECENT_LAUNCHES = select_statement(
    select(tables.requests.c.text, _C.c.ref, _C.c.state, _C.c.talk_call_ms, _C.c.reason)
    .join(_C, _C.c.id == tables.requests.c.call_id)
    .where(
        _C.c.request_id == tables.requests.c.id,
        tables.requests.c.user_id == bindparam("user_id"),
        tables.requests.c.space == bindparam("space"),
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


class Driving(Protocol):
    """Whoever drives this process's calls."""

    def launched(self, call: Call) -> None:
        """Take a call that was just launched."""

    def refresh(self, call_id: str) -> None:
        """Have a call read again that was just changed."""


def handle(
    tx: Tx,
    house: House,
    request: Request,
    stamp: Stamp,
    driving: Driving | None = None,
) -> Handled:
    """Do a request exactly once.

    Args:
        tx: the transaction.
        house: the deployment.
        request: what is asked.
        stamp: now.
        driving: told what was launched or changed once that is durable, before others hear of it
            and whether or not anybody still waits for the answer.

    Returns:
        The outcome; for a repeat, the stored one.
    """
    handled = _handle(tx, house, request, stamp)
    if driving is not None:
        if handled.launched is not None:
            tx.after_commit(partial(driving.launched, handled.launched))
        for call_id in handled.changed:
            tx.after_commit(partial(driving.refresh, call_id))
    return handled


def _handle(tx: Tx, house: House, request: Request, stamp: Stamp) -> Handled:
    stamp = stamp.again()
    row = find_row(tx, request)
    if isinstance(request.command, Administration) and request.channel == "cli":
        return _operate(tx, house, request, stamp)
    new_address = row is None
    if row is None:
        row = joining.join(tx, house, request, stamp)
    if row is None or request.evidence is Evidence.FORGED:
        return Handled(Refused("unknown_sender"))
    request_id = stamp.new_id("req")
    principal = row.user_id
    if not request_rows.claim(tx, request, request_id, principal, row.user_id):
        return _repeat(tx, request, principal)
    asker = _addressed(tx, asker_of(row, request, request_id, house))
    if new_address:
        handled = Handled(joining.joined(tx, asker, stamp))
    else:
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
        outcome, calls = administration.administer(tx, house, None, request.command, stamp)
    except Stop as stop:
        outcome, calls = stop.outcome, []
    tx.write(
        request_rows.ANSWER, key_id=request_id, outcome=to_json(outcome), call_id=_call_id(outcome)
    )
    return Handled(outcome, changed=tuple(call.id for call in calls))


def _addressed(tx: Tx, asker: Asker) -> Asker:
    """Give an asker who signed in (a mail session with a password) their own address there.

    The answer goes to the address on file, not to one that the message merely names.
    """
    if asker.in_session or asker.address:
        return asker
    for _, space, address, _, opted_out in tx.all(people_rows.SENDERS, user_id=asker.user.id):
        if space == asker.space and not opted_out:
            return replace(asker, address=address)
    return asker


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
    if asker.evidence is Evidence.CLAIMED and not _may_tell_claimed(tx, asker, outcome, stamp):
        return
    _send(tx, asker, (asker.channel, asker.address), outcome, stamp)


def _send(tx: Tx, asker: Asker, where: tuple[str, str], outcome: Outcome, stamp: Stamp) -> None:
    channel, address = where
    outbox_rows.put(
        tx,
        outbox_id=stamp.new_id("msg"),
        user_id=asker.user.id,
        channel=channel,
        address=address,
        kind="outcome",
        body=to_json(outcome),
        now_wall_ms=stamp.wall_ms,
        call_id=_call_id(outcome),
        ref=outcome.ref,
        thread=asker.thread if address == asker.address else "",
        timezone=asker.user.timezone,
    )


def _may_tell_claimed(tx: Tx, asker: Asker, outcome: Outcome, stamp: Stamp) -> bool:
    """Whether a refusal may be written to somebody in whose name a stranger may have asked.

    As rarely as a challenge, or anybody could fill a mailbox by our hand.
    """
    if not isinstance(outcome, Refused):
        return True
    return gate.claimed_refusal(tx, asker, "claimed_refused", stamp) is None


def _call_id(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Asked) else getattr(outcome, "call_id", "")


def _decide(tx: Tx, house: House, asker: Asker, request: Request, stamp: Stamp) -> Handled:
    if not request_rows.claim_replays(tx, request, asker.request_id):
        return Handled(Refused("replayed"))
    if not asker.user.active and not isinstance(request.command, OptOut):
        return Handled(Refused("user_inactive", fields={"change": "administrator"}))
    try:
        if isinstance(request.command, ParseError):
            return Handled(_unreadable(tx, house, asker, request.command, stamp))
        command = _with_thread_ref(request.command, request.reply_to_ref)
        return _command(tx, house, asker, command, stamp)
    except Stop as stop:
        return Handled(stop.outcome)
    except Ask as ask:
        return _asked(tx, house, asker, ask, stamp)


def _asked(tx: Tx, house: House, asker: Asker, ask: Ask, stamp: Stamp) -> Handled:
    """Put a question; without a free ref it cannot be asked, which is an answer too."""
    try:
        return Handled(questions.put(tx, house, asker, ask, stamp))
    except Stop as stop:
        return Handled(stop.outcome)


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
    known = asker.evidence is not Evidence.CLAIMED  # a stranger opens no question for a user
    if error.code == "two_numbers" and isinstance(numbers, tuple | list) and known:
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
    gate.emergency_here(tx, command, asker)
    granted = permission(
        command, asker.evidence, asker.user.role, _trust(tx, asker, command, stamp)
    )
    refusal = refusal_of(granted, scope_of(type(command)))
    if refusal is not None:
        raise Stop(str(refusal.code), refusal.fields)
    if isinstance(command, Administration):
        outcome, calls = administration.administer(tx, house, asker, command, stamp)
        return Handled(outcome, changed=tuple(call.id for call in calls))
    if granted is Permission.CHALLENGE:
        gate.not_after_restore(asker, command, house)
        raise gate.challenge_question(tx, asker, command, stamp)
    confirm = granted is Permission.CONFIRM_FROM_PROVEN and not isinstance(command, _LAUNCHES)
    if confirm and "confirm_from_proven" not in asker.confirmed:
        raise Ask("confirm_from_proven", command=command, needs_proven=True)
    gate.not_after_restore(asker, command, house)
    gate.stale(asker, command, house)
    if granted is Permission.TO_ADDRESS_ON_FILE and asker.in_session:
        return _to_address_on_file(tx, house, asker, command, stamp)
    return _dispatch(tx, house, asker, command, stamp)


def _to_address_on_file(
    tx: Tx, house: House, asker: Asker, command: Command, stamp: Stamp
) -> Handled:
    """Send an answer about money and people to the user's own address instead of the session.

    Nothing is done when there is no such address: the rest of a list stays to be asked for.
    """
    addresses = changes.reachable_senders(tx, asker.user.id)
    if not addresses:
        raise Stop("unproven")
    handled = _dispatch(tx, house, asker, command, stamp)
    _send(tx, asker, addresses[0], handled.outcome, stamp)
    return replace(handled, outcome=Done("answer_sent"))


def _trust(tx: Tx, asker: Asker, command: Command | Administration, stamp: Stamp) -> TrustContext:
    matches = isinstance(command, Confirm) and questions.code_matches(
        tx, asker.user.id, command, stamp.wall_ms
    )
    return TrustContext(
        scopes=asker.scopes,
        new_directory_number=isinstance(command, Save)
        or (isinstance(command, SetSlot) and isinstance(command.target, Number)),
        code_matches=matches,
        limits=asker.customer.limits,
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
            try:
                return _again(tx, house, answered.asker, answered.command, stamp)
            except Stop:
                # Busy lines and an empty balance pass: the same `go` may do it later.
                questions.reopen(tx, asker, answered)
                raise
        case _:
            return _dispatch_rest(tx, house, asker, command, stamp)


def _again(tx: Tx, house: House, asker: Asker, command: Command, stamp: Stamp) -> Handled:
    """Do what was confirmed.

    Whoever answers is known at least as surely as the question demanded, so what was merely
    claimed before counts as vouched for now.
    """
    surer = replace(asker, evidence=max(asker.evidence, Evidence.VOUCHED))
    try:
        return _command(tx, house, surer, command, stamp)
    except Ask as ask:
        # The next question keeps the ref, and what was confirmed before stays confirmed.
        return _asked(tx, house, surer, ask, stamp)


def _dispatch_rest(tx: Tx, house: House, asker: Asker, command: Command, stamp: Stamp) -> Handled:
    match command:
        case HangUp(ref) if ref is not None and (
            skipped := calendar.hang_up(tx, house, asker, ref, stamp)
        ):
            return Handled(skipped)
        case _ if isinstance(command, Control):
            outcome, call = control.control(tx, house, asker, command, stamp)
            return Handled(outcome, changed=(call.id,))
        case _ if isinstance(command, DirectoryChange):
            return Handled(directory.change(tx, house, asker, command, stamp))
        case _ if isinstance(command, Belonging):
            outcome, launched = belongings.change(tx, house, asker, command, stamp)
            return Handled(outcome, launched=launched)
        case _ if isinstance(command, Schedule):
            return Handled(calendar.calendar(tx, house, asker, command, stamp))
        case _ if isinstance(command, Information):
            return Handled(information.inform(tx, house, asker, command, stamp))
        case SetBillingCode():
            done = corrections.set_billing_code(tx, house, asker, command, stamp)
            return Handled(done, changed=(done.call_id,))
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
    if asker.confirmed or not (asker.text and house.limits.repeat_window_s):
        return  # the answer to a question is no repeat of the line it answers
    # Of two that come at once the second sees the first.
    ledger_rows.lock_account(tx, asker.customer.id)
    since = asker.received_wall_ms - house.limits.repeat_window_s * 1000
    rows = tx.all(
        RECENT_LAUNCHES,
        user_id=asker.user.id,
        space=asker.space,
        sender=asker.sender,
        since=since,
        request_id=asker.request_id,
    )
    words = " ".join(asker.text.split()).casefold()
    for text, ref, state, talked, _ in rows:
        same = " ".join(text.split()).casefold() == words
        if same and (state not in _OVER or talked is not None):
            raise Ask("same_again", command=command, fields={"earlier": ref})


def _consent(tx: Tx, asker: Asker, command: Command) -> Outcome:
    out = isinstance(command, OptOut)
    tx.write(
        people_rows.SET_OPTED_OUT,
        key_space=asker.space,
        key_address=asker.sender,
        opted_out=int(out),
    )
    return Done("opted_out" if out else "opted_in")
