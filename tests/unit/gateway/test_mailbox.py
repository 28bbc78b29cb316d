"""The demo's mailbox."""

from email.message import EmailMessage

import aiosmtplib
import pytest

from gateway.clocks import WallClock
from gateway.mailbox import MAX_MESSAGES, MAX_TEXT_CHARACTERS, Mailbox

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]


def letter(subject: str, text: str = "Hello") -> EmailMessage:
    """Return a mail."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@x.example", "b@x.example", subject
    made["Message-ID"] = "<1@x.example>"
    made.set_content(text)
    return made


async def test_a_mail_is_kept_as_a_person_would_see_it() -> None:
    """Sender, recipients, subject and text of a mail that came over SMTP, oldest first."""
    mailbox = Mailbox(WallClock())
    port = await mailbox.start()
    for subject in ("[4F7] Zürich", "second"):
        await aiosmtplib.send(letter(subject), hostname="127.0.0.1", port=port)
    await mailbox.stop()
    first, second = mailbox.messages()
    assert (first.subject, first.body.strip(), first.to) == ("[4F7] Zürich", "Hello", "b@x.example")
    assert (first.id, first.sender) == ("<1@x.example>", "a@x.example")
    assert second.subject == "second"
    assert first.sent_wall_ms <= second.sent_wall_ms


async def test_only_the_latest_are_kept_and_long_texts_are_cut() -> None:
    """The mailbox has room for a number of mails, and each for a number of characters."""
    mailbox = Mailbox(WallClock())
    port = await mailbox.start()
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port)
    await client.connect()
    for number in range(MAX_MESSAGES + 1):
        await client.send_message(letter(str(number)))
    await client.send_message(letter("long", "x\n" * MAX_TEXT_CHARACTERS))
    await client.quit()
    await mailbox.stop()
    kept = mailbox.messages()
    assert (len(kept), kept[0].subject) == (MAX_MESSAGES, "2")
    assert len(kept[-1].body) == MAX_TEXT_CHARACTERS
