"""What the demo shows: a table of bills, where everything is, and what to try next."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from call_core.money import format_amount, format_money
from channels.imap.settings import ImapSettings
from gateway.demo.bills import Compared
from gateway.demo.compare import Bill
from gateway.demo.set_up import Settled
from gateway.demo.world import CURRENCY, LONDON
from gateway.server import Running
from gateway.settings import Settings


def data(service: Running, ada: Settled, compared: Sequence[Compared]) -> dict[str, Any]:
    """Return everything as one JSON object."""
    return {
        "ok": all_equal(compared),
        "equal": all_equal(compared),
        "currency": CURRENCY,
        "bills": [_bill(each) for each in compared],
        "listening": service.listening(),
        "database": service.settings.shown_database(),
        "settings": str(service.settings.file),
        "sign_in": {
            "url": f"{service.url}/",
            "address": ada.person.mail,
            "password": ada.identity.password,
            "token": ada.identity.token,
        },
        "mailbox": mailbox_url(service.settings),
    }


def mailbox_url(settings: Settings) -> str:
    """Return where a mail program finds the mailbox that is read, password included."""
    section = settings.channel("imap")
    assert isinstance(section, ImapSettings)
    mailbox = section.mailboxes["demo"]
    password = mailbox.password.get_secret_value()
    where = f"{mailbox.host}:{mailbox.server_port}/{mailbox.folder}"
    return f"imap://{mailbox.username}:{password}@{where}"


def all_equal(compared: Sequence[Compared]) -> bool:
    """Whether at least two channels were compared and every bill is the same."""
    billed = [each for each in compared if not each.skipped]
    return len(billed) > 1 and all(each.equal for each in billed)


def show(service: Running, ada: Settled, compared: Sequence[Compared], console: Console) -> None:
    """Print the table and the way in."""
    console.print(table(compared))
    for each in compared:
        for line in each.different:
            console.print(f"  {each.channel}: {line}", style="red", markup=False)
        if each.skipped:
            console.print(f"  {each.channel}: not called, {each.skipped}", markup=False)
    verdict = "Every bill is equal." if all_equal(compared) else "The bills are NOT all equal."
    console.print(verdict, style="bold green" if all_equal(compared) else "bold red")
    console.print(_way_in(service, ada), markup=False, highlight=False, soft_wrap=True)


def table(compared: Sequence[Compared]) -> Table:
    """Return the bills, one row per channel."""
    made = Table(title="The same call by every channel", box=box.SIMPLE_HEAD, padding=(0, 1))
    for heading in ("Channel", "Ref"):
        made.add_column(heading, no_wrap=True)
    for heading in ("A seconds", "charge", "B seconds", "charge", "Total"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("Equal", justify="center", no_wrap=True)
    for each in compared:
        made.add_row(*_row(each))
    return made


def _row(compared: Compared) -> list[str]:
    mark = "-" if compared.skipped else "✔" if compared.equal else "✘"
    bill = compared.bill
    if bill is None:
        return [compared.channel, *[""] * 6, mark]
    legs = [cell for name in ("A", "B") for cell in _leg(bill, name)]
    total = format_money(bill.total_micros(), CURRENCY)
    return [compared.channel, bill.ref, *legs, total, mark]


def _leg(bill: Bill, name: str) -> tuple[str, str]:
    """Return a leg's seconds as talked and as billed, and its charge."""
    for cdr in bill.cdrs:
        if cdr.leg == name:
            return f"{cdr.duration_s} → {cdr.billable_s}", format_amount(cdr.charge_micros)
    return "", ""


def _bill(compared: Compared) -> dict[str, Any]:
    bill = compared.bill
    return {
        "channel": compared.channel,
        "equal": compared.equal,
        "different": list(compared.different),
        "skipped": compared.skipped,
        "ref": bill.ref if bill else "",
        "answer": compared.answer,
        "total": format_amount(bill.total_micros()) if bill else "",
        "legs": [
            {
                "leg": cdr.leg,
                "duration_s": cdr.duration_s,
                "billable_s": cdr.billable_s,
                "charge": format_amount(cdr.charge_micros),
            }
            for cdr in (bill.cdrs if bill else ())
        ],
    }


def _way_in(service: Running, ada: Settled) -> str:
    settings = service.settings
    lines = [
        "",
        f"Pages      {service.url}/",
        f"Sign in    {ada.person.mail}, password {ada.identity.password}",
        f"Phones     {service.url}/demo/phones    Mailbox  {service.url}/demo/mailbox",
        f"API        Authorization: Bearer {ada.identity.token}",
        f"Mail in    {mailbox_url(settings)}   (a mail that a program puts there is read by IMAP)",
        *(f"Listening  {each}" for each in service.listening()),
        f"Database   {settings.shown_database()}   (made anew at every start)",
        "",
        "Try        " + _swaks(service, ada),
        f"           callgate --help    callgate calls live --config {settings.file}",
    ]
    return "\n".join(lines)


def _swaks(service: Running, ada: Settled) -> str:
    smtp = next((each for each in service.listening() if each.startswith("smtp://")), "")
    where = smtp.removeprefix("smtp://") or "127.0.0.1:2525"
    return (
        f"swaks --server {where} --from {ada.person.mail} --to call@demo.example "
        f"--header 'Subject: call' --body 'call {LONDON}'"
    )
