"""Verifying a phone by a call: it rings, and asks for four digits that are shown elsewhere.

A call with one party on the same machine, admitted and billed as every leg: like a first leg that
nobody else answered it costs nothing within the day's allowance.
"""

from dataclasses import replace

from call_core import numbering
from call_core.calls.model import Call
from call_core.commands import Call as CallCommand
from call_core.commands import Number, OwnPhone
from call_core.customers.admission import admit
from call_core.customers.callability import PartyRole
from call_core.customers.model import OwnPhone as Phone
from call_core.customers.model import Verification
from call_core.customers.names import fold
from call_core.numbering import NumberProblem
from call_core.outcomes import Fields, Launched
from call_core.outcomes import Phone as PhoneValue
from call_core.storage import ledger_rows, people_rows, record_rows
from call_core.storage.transaction import Tx
from call_core.units import funding, launch, new_call, resolve, routes
from call_core.units.advance import terms_in
from call_core.units.caller import Asker, Stop, own_phones
from call_core.units.house import House, Stamp
from call_core.units.new_call import Wanted

DIGITS = 4
VERIFICATIONS_PER_DAY = 5
MAX_PHONES = 20
MAX_LABEL_CHARS = 40
_COUNTED = "verifications"


def ring(
    tx: Tx, house: House, asker: Asker, command: OwnPhone, stamp: Stamp
) -> tuple[Launched, Call, Fields | None]:
    """Put a phone on file, if it is not, and ring it.

    Returns:
        The answer with the digits to key, the call, and what was added to the file, if anything.

    Raises:
        Stop: it may not be rung, or cannot be paid for; nothing was written.
    """
    phone, known = _phone(tx, asker, command, stamp)
    # Of two that come at once the second sees the first.
    ledger_rows.lock_account(tx, asker.customer.id)
    used = record_rows.counted(tx, asker.user.id, _COUNTED, stamp.day)
    if used >= VERIFICATIONS_PER_DAY:
        raise Stop("too_many_verifications", limit=VERIFICATIONS_PER_DAY)
    call, digits = _call(tx, house, asker, phone, stamp)
    record_rows.count(tx, asker.user.id, _COUNTED, stamp.day)
    number = PhoneValue(phone.number, phone.extension)
    fields: Fields = {"label": phone.label, "number": number}
    outcome = Launched(
        "verification_launched", call.ref, call.id, {"ref": call.ref, **fields, "digits": digits}
    )
    if known:
        return outcome, call, None
    _insert(tx, phone, stamp)
    return outcome, call, {"label": phone.label, "number": PhoneValue(phone.number)}


def _phone(tx: Tx, asker: Asker, command: OwnPhone, stamp: Stamp) -> tuple[Phone, bool]:
    """Return the phone meant, and whether it is on file already."""
    phones = own_phones(tx, asker)
    found = next((each for each in phones if fold(each.label) == fold(command.label)), None)
    if command.number is None:
        if found is None:
            raise Stop("phone_not_yours", label=command.label)
        if found.verification is Verification.KEY_PRESS:
            raise Stop("phone_is_verified", label=found.label)
        return found, True
    number = numbering.normalise(command.number.text, asker.home)
    if isinstance(number, NumberProblem):
        raise Stop(str(number.code), number.fields)
    if found is not None and (found.number, found.extension) == (number.digits, number.extension):
        return found, True
    if found is not None:
        raise Stop("name_taken", name=command.label)
    if len(phones) >= MAX_PHONES or len(command.label) > MAX_LABEL_CHARS:
        raise Stop("too_many_phones", limit=MAX_PHONES)
    made = Phone(
        id=stamp.new_id("phone"),
        user_id=asker.user.id,
        label=command.label,
        number=number.digits,
        extension=number.extension,
        verification=Verification.NONE,
        accept_key=True,
        default=False,
    )
    return made, False


def _insert(tx: Tx, phone: Phone, stamp: Stamp) -> None:
    tx.write(
        people_rows.INSERT_PHONE,
        id=phone.id,
        user_id=phone.user_id,
        label=phone.label,
        folded=fold(phone.label),
        number=phone.number,
        extension=phone.extension,
        verified="",
        accept_key=1,
        created_wall_ms=stamp.wall_ms,
    )


def _call(tx: Tx, house: House, asker: Asker, phone: Phone, stamp: Stamp) -> tuple[Call, str]:
    """Admit the call as any other and write it; return it with the digits to key."""
    person = resolve.Resolved(phone.label, resolve.stored_number(phone.number, phone.extension))
    deck = house.decks.active(tx, asker.tariff, asker.deck_version)
    terms = terms_in(deck, person.number.digits, stamp.call_ms)
    gate = launch.NumberGate(house, asker)
    gate.check(person, PartyRole.VERIFICATION, None, sold=terms is not None)
    assert terms is not None, person
    digits = stamp.new_code(DIGITS)
    wanted = Wanted(
        command=CallCommand(Number(person.number.digits)),
        # It becomes verified by this call, so that is not asked for.
        origin=replace(phone, verification=Verification.OPERATOR),
        people=(person,),
        terms=(terms,),
        accept=True,
        cap_micros=None,
        max_seconds=None,
        stated_seconds=None,
        due=None,
        keys=digits,
    )
    # No client pays for it.
    asker = replace(asker, customer=replace(asker.customer, billing_code_required=False))
    account = ledger_rows.lock_account(tx, asker.customer.id)
    asker, standing, counted = funding.standing_and_counts(tx, asker, person.number.digits, stamp)
    launch.refuse_frozen_prefix(asker, person.number.digits)
    counts = [counted]
    cover = launch.cover_of(asker, wanted, account, house.rules)
    facts = launch.facts_of(tx, asker, wanted, account, standing, counts)
    launch.refuse(admit(replace(facts, hold_micros=cover.added_micros)))
    used = standing.promised_free + counts[0].free_legs_today
    free = launch.free_promised(house, asker, wanted, used)
    ways = routes.routed(tx, house, new_call.rung(wanted), house.shard_for(stamp), stamp)
    call = new_call.write(
        tx, house, asker, wanted, cover, ways, account, stamp, free=free, scheduled=None
    )
    return call, digits
