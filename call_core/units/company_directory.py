"""A customer's own directory: entries that all of its users see, written by administrators."""

from call_core import ids, numbering
from call_core.administration import ForgetEntry, SaveEntry
from call_core.customers.names import MAX_NAME_LENGTH, fold
from call_core.numbering import Home, NumberProblem
from call_core.outcomes import Done, Outcome, Phone
from call_core.storage import people_rows
from call_core.storage.transaction import Tx
from call_core.units.caller import Asker, Stop

EVERYBODY = ""
"""Stands where an entry of one user has that user's id."""
_EXAMPLE = "save bob +44 20 7946 0018"


def change(
    tx: Tx, customer_id: str, asker: Asker | None, command: SaveEntry | ForgetEntry
) -> Outcome:
    """Write or remove an entry; whoever has one of that name of their own keeps it.

    Args:
        tx: the transaction.
        customer_id: whose directory.
        asker: the administrator, at whose home numbers without + are; None is the operator, who
            writes them with +.
        command: what to do.

    Raises:
        Stop: it cannot be done.
    """
    match command:
        case SaveEntry():
            return _save(tx, customer_id, asker, command)
        case ForgetEntry(name=name):
            key = {"customer_id": customer_id, "user_id": EVERYBODY, "folded": fold(name)}
            old = tx.one(people_rows.ENTRY, **key)
            if old is None:
                raise Stop("no_such_entry", name=name, example="dir")
            tx.write(people_rows.FORGET_ENTRY, **key)
            number = Phone(old.number, old.extension)
            return Done("company_entry_removed", fields={"name": old.name, "number": number})


def _save(tx: Tx, customer_id: str, asker: Asker | None, command: SaveEntry) -> Outcome:
    name = checked_name(command.name)
    home = Home("") if asker is None else asker.home
    countries = [] if asker is None else [asker.user.country]
    text = command.number
    if numbering.is_emergency(text) or numbering.is_emergency_in(text, countries):
        raise Stop("emergency", digits=text.strip())
    number = numbering.normalise(text, home)
    if isinstance(number, NumberProblem):
        raise Stop(str(number.code), number.fields)
    tx.write(
        people_rows.SAVE_ENTRY,
        customer_id=customer_id,
        user_id=EVERYBODY,
        folded=fold(name),
        name=name,
        number=number.digits,
        extension=number.extension,
    )
    shown = Phone(number.digits, number.extension)
    return Done("company_entry_saved", fields={"name": name, "number": shown})


def checked_name(written: str) -> str:
    """Return a name as it is kept.

    Raises:
        Stop: it looks like a call's name or a number, and would call something else than the entry.
    """
    name = " ".join(written.split())
    if len(name) > MAX_NAME_LENGTH:
        cut = name[:MAX_NAME_LENGTH]
        raise Stop("name_too_long", limit=MAX_NAME_LENGTH, name=cut, example=_EXAMPLE)
    if ids.is_ref(name) or not any(letter.isalpha() for letter in name):
        raise Stop("name_reserved", name=name, example=_EXAMPLE)
    return name
