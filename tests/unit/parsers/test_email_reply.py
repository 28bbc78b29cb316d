"""A person's own words, without signatures, quotes and forwarded mail."""

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailparser_reply.parser import EmailMessage as ReplyParser

from parsers import email_reply
from parsers.email_reply import REPLY_PARSER_LIMIT, TEXT_LENGTH_LIMIT, new_words

DEVICE_LINES = """
Sent from my iPhone
Sent from Mailbox for iPhone
Sent wirelessly from my BlackBerry device on the Bell network.
Sent via BlackBerry by AT&T
Sent via DROID on Verizon Wireless
Sent from Yahoo Mail on Android
sent from mobile
From my iPhone, excuse typos
Get Outlook for iOS
Get Outlook for Android<https://aka.example.com/x>
Enviado desde mi iPhone
Enviado do meu iPhone
Envoyé de mon iPhone
Envoyé depuis mon appareil Samsung
Von meinem iPhone gesendet
Gesendet von Mail für Windows
Diese Nachricht wurde von meinem Android-Mobiltelefon gesendet.
Inviato da iPhone
Sendt fra min iPhone
Verzonden met mijn iPhone
Verstuurd vanaf mijn iPad
Skickat från min iPhone
從我的 iPhone 傳送
发自我的 iPhone
--
-- \N{NO-BREAK SPACE}
________________________________
=====
***
-Bob
--Bob
"""

QUOTE_HEADS = """
> call 415 555 0100
On Fri, Nov 20, 2026 at 1:12 PM Ann <ann@x.example> wrote:
On Fri, Nov 20, 2026 at 1:12 PM Ann Somebody~<ann@x.example> wrote:
On Fri, Nov 20, 2026 at 1:12 PM, Ann Somebody With~A Very Long Name~<ann@x.example> wrote:
Am 20.11.2026 um 14:00 schrieb Ann:
Le 20 nov. 2026 à 09:12, Anne <anne@x.example> a écrit :
El vie, 20 nov 2026 a las 13:12, Ana (<ana@x.example>) escribió:
Em sex., 20 de nov. de 2026 às 13:12, Ana <ana@x.example> escreveu:
Il giorno ven 20 nov 2026 alle ore 13:12 Ann <ann@x.example> ha scritto:
Op vr 20 nov. 2026 om 13:12 schreef Ann <ann@x.example>:
Den fre 20 nov. 2026 kl 13:12 skrev Ann <ann@x.example>:
fre. 20. nov. 2026 kl. 13.12 skrev Ann <ann@x.example>:
Dnia 20 listopada 2026 13:12 Ann <ann@x.example> napisał(a):
pt., 20 lis 2026 o 13:12 Ann <ann@x.example> napisał(a):
Dne 20. 11. 2026 v 13:12 Ann napsal(a):
在 2026年11月20日,13:12,Ann <ann@x.example> 写道：
2026-11-20 13:12 GMT+03:00 Ann <ann@x.example>:
20.11.2026 13:12, Ann пишет:
-----Original Message-----
-------- Ursprüngliche Nachricht --------
---- Reply Message ----
---------- Forwarded message ---------
Begin forwarded message:
Anfang der weitergeleiteten Nachricht:
From: Ann <ann@x.example>
From: Ann~Sent: Friday~To: Bob~Subject: x
*From:* Ann~*Sent:* Friday
Von: Ann~Gesendet: Freitag~An: Bob~Betreff: x
De : Anne~Envoyé : vendredi~À : Bob~Objet : x
De: Ana~Enviado el: viernes~Para: Bob~Asunto: x
发件人：Ann~发送时间：2026~主题：x
"""  # noqa: RUF001  (Chinese and Russian)


def lines_of(table: str) -> list[str]:
    """Return the rows of a table; `~` stands for a line end."""
    return [line.replace("~", "\n") for line in table.strip().splitlines()]


@pytest.mark.parametrize("line", lines_of(DEVICE_LINES))
def test_a_number_below_a_signature_is_never_seen(line: str) -> None:
    """Whatever the device or its carrier adds, in whatever language."""
    assert new_words(f"call mom\n{line}\n415 555 0100").text == "call mom"
    assert new_words(f"\n{line}\n415 555 0100").text == ""
    assert not new_words(f"call mom\n{line}\n415 555 0100").quoted


@pytest.mark.parametrize("head", lines_of(QUOTE_HEADS))
def test_a_number_in_a_quote_is_never_seen(head: str) -> None:
    """The attribution in a dozen languages, wrapped or not, and Outlook's block."""
    for signature in ("", "Sent from my iPhone\n\n"):
        words = new_words(f"call mom\n\n{signature}{head}\n\ncall 415 555 0100")
        assert (words.text, words.quoted) == ("call mom", True)
    assert new_words(f"{head}\n\ncall 415 555 0100").text == (
        "call 415 555 0100" if head.startswith(">") else ""
    )


@pytest.mark.parametrize(
    "text",
    [
        "call mom",
        "From: 415 555 1212\nTo: 212 555 1212",
        "from: cell\nto: mom",
        "conf mom,\n- bob\n- alice",
        "conf mom\n-bob",
        "call mom\n-bob\n-alice",
        "call mom at 6pm",
        "on my way",
        "on\nand on:",
        "am wrote",
        "call mom from my office",
        "conf mom\nbob\nalice\n\nmore",
        "9 wrote\nx",
        "From: 415\nand: then",
        "*7",
        "#",
        f"call {'x' * 400}",
        f"-{'x' * 400}",
        f"Sent from my {'x' * 400}",
    ],
)
def test_words_that_only_look_like_a_mark_stay(text: str) -> None:
    """The command form, lists and names survive; long lines are nobody's signature."""
    assert new_words(text).text == text


@pytest.mark.parametrize(
    "sign_off",
    [
        "Best regards\nBob",
        "Thanks,\nBob 415 555 0100",
        "Mit freundlichen Grüßen\nBob",
        "Kind regards",
    ],
)
def test_sign_offs_are_taken_off(sign_off: str) -> None:
    """By mail-parser-reply, in its languages."""
    assert new_words(f"call mom\n\n{sign_off}").text == "call mom"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("> old\n> older\n\nmom", "mom"),
        ("On Fri, Ann wrote:\n> old\nmom\n-- \nMax", "mom"),
        ("On Fri, Ann wrote:\n> old\nyes\n> older\nmom", "mom"),
        ("mom\n> old\n415 555 0100", "mom"),
        ("On Fri, Ann wrote:\n\nold", ""),
        ("> only", ""),
    ],
)
def test_an_answer_may_stand_below_the_quote(text: str, words: str) -> None:
    """Only when nothing stands above it, and then below the last quoted line."""
    assert new_words(text).text == words


def test_the_quadratic_parser_sees_a_capped_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worst cases cost seconds per ten thousand characters, so it is given a thousand."""
    seen: list[str] = []

    def spy(**arguments: Any) -> Any:  # noqa: ANN401  (the library has no types)
        """Note what the library is given."""
        seen.append(arguments["text"])
        return ReplyParser(**arguments)

    monkeypatch.setattr(email_reply, "ReplyParser", spy)
    worst = ["On " * 9_000, "On\n" * 9_000, "From x\n" * 4_000, "\n" * 24_000, "a\n" * 9_000]
    for text in worst:
        new_words(text)
        new_words(f"x:\n{text}")
        new_words(f"x:\n\n\n\n\n{text}\n\n\n\n\nx")
    assert seen
    assert max(map(len, seen)) == REPLY_PARSER_LIMIT
    assert all("\n\n\n" not in text for text in seen)


def test_the_quadratic_parser_sees_only_what_may_hold_a_sign_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has none of its words costs nothing; the words of every language are known."""
    monkeypatch.setattr(email_reply, "ReplyParser", lambda **_: pytest.fail("asked"))
    new_words("On " * 300)
    new_words("call mom\nfrom office\nmax $5 private")
    for signed in ("Best regards", "Venlig\u00a0hilsen", "Cordiali saluti", "Mvh", "mail it"):
        with pytest.raises(pytest.fail.Exception):
            new_words(f"call mom\n{signed}")


def test_only_the_beginning_of_a_text_is_read() -> None:
    """At the limit all of it, one past it not."""
    line = "x" * (TEXT_LENGTH_LIMIT - 2)
    assert new_words(f"{line}\ny").text == f"{line}\ny"
    assert new_words(f"{line}z\ny").text == f"{line}z"


def test_a_long_text_keeps_what_the_library_did_not_see() -> None:
    """Nothing that the sender wrote is lost silently."""
    text = "\n".join(f"name number {n}" for n in range(200))
    assert len(text) > REPLY_PARSER_LIMIT
    assert new_words(text).text == text


FRAGMENTS = st.sampled_from(
    [
        *("call mom", "conf bob, anna", "", "ok ", "- bob", "-Bob", "--", "~~~", "===x y==="),
        *("-----Original Message-----", "> call dad", "On 2 May, Bob wrote:", "bob wrote:"),
        *("AM 3. Mai schrieb Bob:", "Den 3 maj skrev Bob:", "2026-05-02 <b@example.com>:"),
        *("From: Bob <b@example.com>", "*From:* Bob", "VON: bob", "Sent: Monday"),
        *("from 415 555 1212", "to: 212 555 1212", "Sent from my iPhone", "\tsent via x"),
        *("BEGIN FORWARDED MESSAGE:", "envoyé depuis là", "發自我的 x", "在 x 写道:"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=12))
def test_only_lines_that_can_be_no_mark_are_passed_over(lines: list[str]) -> None:
    """The quick look changes nothing but the time it takes."""
    text = "\n".join(lines)
    quick = new_words(text)
    with mock.patch.object(email_reply, "may_be_mark", bool):
        assert new_words(text) == quick
