"""What a person wrote comes back from every channel's wire as it was, whatever signs are in it.

A name with markup, variables, quotes, the end of a message and control characters in it goes
through what each channel writes with, and is read as the other side reads it.
"""

import json
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy

import jinja2
import pytest

from call_core.contracts import Prompt
from call_core.outcomes import Done
from call_core.switches import twilio_twiml
from channels.api.views import outcome_out
from channels.kit.contract import Outgoing
from channels.kit.mail_out import MailOutSettings, compose
from channels.kit.micro.html import HtmlWriter
from channels.kit.micro.page import Page, Words
from channels.kit.registry import channel_classes
from channels.kit.render import Budget, render
from channels.kit.sms_out import sms_segments
from channels.wap.deck import DeckWriter
from channels.web.answers import answer_of
from channels.web.browser import read_page
from channels.web.templating import make_templates
from parsers import packet, snpp, wctp_read, wctp_write
from parsers.packet import PacketAnswer, Status
from parsers.small_html import Dialect
from parsers.small_screen import read_screen
from parsers.small_tags import pieces
from parsers.sms_webhook import (
    TextMessage,
    decode_kannel,
    decode_twiml,
    encode_kannel,
    encode_twiml,
)

SIGNS = "Ann <&\"'$()]]> $(n) $$ &#65; %41+ {x} end"
CONTROLS = "\x00\x07\x1b\x7f\r\n.\r\nQUIT"
ODD = f"{SIGNS}{CONTROLS}"
ANSWER = Done("forgotten", fields={"name": ODD, "number": "+44"})
MESSAGE = Outgoing("msg_1", "ann@x.example", ANSWER, "4F7", "", 1_790_000_000_000, "UTC")
KEYS = packet.keys_of(packet.token_hash("cg_token"))


def words(budget: Budget = Budget.FULL) -> str:
    """Return the answer in words."""
    return render(ANSWER, budget, "UTC")


def by_api() -> str:
    """Read the JSON."""
    return str(json.loads(outcome_out(ANSWER, "UTC").model_dump_json())["text"])


def by_mail() -> str:
    """Read the mail as a mail program does; it has the head that it should have."""
    mail = message_from_bytes(compose(MailOutSettings(), MESSAGE), policy=policy.default)
    assert SIGNS in mail["Subject"]
    assert set(mail.keys()) & {"QUIT", "."} == set()
    return "\n".join(mail.get_content().splitlines())


def by_web() -> str:
    """Read the page as a browser does."""
    macros = make_templates({}).get_template("macros.html")
    assert isinstance(macros, jinja2.Template)
    shown = macros.make_module({}).show_answer(answer_of(ANSWER, None, "UTC"), "/")  # type: ignore[attr-defined]  # (a macro)
    return read_page(str(shown))[1]


def by_wap() -> str:
    """Read the deck."""
    page = Page(ODD, ((Words(words()),),))
    return read_screen(DeckWriter("/wap").write(page, page.rows, (), "s")[0].decode()).text


def by_pda() -> str:
    """Read the page in both of its languages; they say the same."""
    page = Page("t", ((Words(words()),),))
    said = {
        each: read_screen(HtmlWriter(each, "/pda").write(page, page.rows, (), "s")[0].decode())
        for each in Dialect
    }
    assert all(SIGNS in screen.text for screen in said.values())
    return said[Dialect.CLIPPING].text


def by_twilio_sms() -> str:
    """Read the answer to the webhook."""
    (text,) = sms_segments(MESSAGE, 1).parts
    return decode_twiml(encode_twiml(text).encode())


def by_kannel_sms() -> str:
    """Read the query."""
    (text,) = sms_segments(MESSAGE, 1).parts
    return decode_kannel(encode_kannel(TextMessage("1", "+44", "1", text)).encode()).text


def by_snpp() -> str:
    """Read the reply; it is one line."""
    line = snpp.reply_line(250, words(Budget.PAGER80))
    assert line.count(b"\n") == 1
    reply = snpp.parse_reply(line.decode("ascii"))
    assert reply is not None
    return reply[2]


def by_wctp() -> str:
    """Read the document."""
    written = wctp_write.document(wctp_write.client_success(words(), "1"))
    return wctp_read.read_result(written).text


def by_packet() -> str:
    """Open the datagram."""
    answer = PacketAnswer(b"i" * packet.ID_BYTES, 0, Status.DONE, words(Budget.SMS160))
    opened = packet.open_answer(packet.seal_answer(answer, KEYS, b"n" * 12), KEYS)
    assert opened is not None
    return opened.text


CHANNELS: Mapping[str, Callable[[], str]] = {
    "api": by_api,
    "imap": by_mail,
    "kannel_sms": by_kannel_sms,
    "packet": by_packet,
    "pda": by_pda,
    "smtp": by_mail,
    "snpp": by_snpp,
    "twilio_sms": by_twilio_sms,
    "wap": by_wap,
    "wctp": by_wctp,
    "web": by_web,
}


def test_every_channel_is_here() -> None:
    """A new one needs its line above."""
    assert CHANNELS.keys() == channel_classes().keys()


@pytest.mark.parametrize("name", CHANNELS)
def test_signs_come_back_and_controls_do_not(name: str) -> None:
    """Nothing is markup, a variable or the end of the message; what cannot be shown is gone."""
    said = CHANNELS[name]()
    assert SIGNS in " ".join(said.split())
    assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_what_is_spoken_too() -> None:
    """In TwiML, which a telephone hears."""
    asked = {"destination": SIGNS, "caller": SIGNS, "ending": ""}
    written = twilio_twiml.announce(Prompt.ACCEPT_INVITED, asked, "https://gw.example/tones")
    assert SIGNS in "".join(piece for piece in pieces(written) if isinstance(piece, str))
