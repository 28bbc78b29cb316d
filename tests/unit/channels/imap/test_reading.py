"""From octets to a folder, without a server."""

import warnings
from typing import Any, cast

import pytest

from call_core.commands import Call, Name
from call_core.contracts import Clock
from call_core.errors import Overloaded, ParseError
from call_core.outcomes import Launched, Outcome, Refused
from call_core.requests import Evidence, Request
from channels.imap.reading import Mail, MailReader, verifier_of
from channels.imap.settings import MailboxSettings
from channels.kit.mail_out import MailOutSettings
from parsers.email_message import HEADER_SIZE_LIMIT, MESSAGE_SIZE_LIMIT, MailMessage

HEAD = b"From: Ann <ann@x.example>\r\nMessage-ID: <1@x.example>\r\n"
GOOD = HEAD + b"\r\ncall mom\r\n"
LONG_LINE = HEAD + b"\r\n" + b"x" * 999
FORGED = Refused("unknown_sender")


class Clock0:
    """A clock that stands at zero."""

    def now_ms(self) -> int:
        """Return zero."""
        return 0


class Asked(list[Request]):
    """A core's door that keeps what it was asked."""

    def __init__(self, answer: Outcome | Exception) -> None:
        super().__init__()
        self.answer = answer

    def __call__(self, request: Request) -> Outcome:
        """Answer, or fail."""
        self.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def reader(
    answer: Outcome | Exception | None = None,
    verifier: Any = None,  # noqa: ANN401  (a function)
    **settings: Any,  # noqa: ANN401  (settings as in a file)
) -> tuple[MailReader, Asked]:
    """Return a reader and what it asks."""
    asked = Asked(answer or Launched("call_launched", "4F7", "call_1"))
    given = {"host": "127.0.0.1", "username": "u", "password": "p", **settings}
    mailbox = MailboxSettings.model_validate(given)
    mail_out = MailOutSettings(from_address="call@gw.example.org")
    return MailReader("main", mailbox, mail_out, cast("Clock", Clock0()), asked, verifier), asked


@pytest.mark.parametrize(
    ("content", "answer", "folder", "codes"),
    [
        (GOOD, None, "Done", [""]),
        (GOOD, Refused("no_route"), "Done", [""]),
        (GOOD, FORGED, "Failed", [""]),
        (GOOD, Refused("forged"), "Failed", [""]),
        (b"Auto-Submitted: auto-replied\r\n" + GOOD, None, "Done", []),
        (LONG_LINE, None, "Failed", ["mail_line_too_long"]),
        (LONG_LINE, FORGED, "Failed", ["mail_line_too_long"]),
        (b"Auto-Submitted: auto-replied\r\n" + LONG_LINE, None, "Failed", []),
        (b"From: Bob <bob@x.example>\r\n" + GOOD, None, "Failed", []),
        (b"no fields at all", None, "Failed", []),
    ],
)
def test_where_a_mail_goes_and_what_is_asked(
    content: bytes, answer: Outcome | None, folder: str, codes: list[str]
) -> None:
    """A reason why a mail cannot be read is a request too, when its author can be told."""
    made, asked = reader(answer)
    assert made.handle(Mail(content)) == folder
    assert [getattr(request.command, "code", "") for request in asked] == codes


def test_a_mail_is_the_request_that_it_is_by_smtp() -> None:
    """Channel and id space differ from each other, nothing else from SMTP."""
    made, asked = reader()
    made.handle(Mail(GOOD))
    (request,) = asked
    assert (request.channel, request.id_space) == ("imap", "mail")
    assert (request.external_id, request.sender) == ("1@x.example", "ann@x.example")
    assert (request.command, request.evidence) == (Call(Name("mom")), Evidence.CLAIMED)


def test_of_a_mail_that_is_too_large_only_the_head_was_fetched() -> None:
    """Its sender is told the limit; its subject, a command, is not done."""
    made, asked = reader()
    head = HEAD + b"Subject: call mom\r\n"
    assert made.handle(Mail(head, too_large=True)) == "Failed"
    (request,) = asked
    assert request.command == ParseError("mail_too_large", limit=MESSAGE_SIZE_LIMIT)
    assert (request.external_id, request.text) == ("refused:1@x.example", "")


@pytest.mark.parametrize(("length", "told"), [(HEADER_SIZE_LIMIT, 1), (HEADER_SIZE_LIMIT + 1, 1)])
def test_a_head_that_is_too_long_is_read_as_far_as_it_may_be(length: int, told: int) -> None:
    """At the limit and one past it."""
    line = b"X-Filler: " + b"y" * 80 + b"\r\n"
    head = HEAD + line * ((length - len(HEAD)) // len(line))
    head += b"Y: " + b"z" * (length - len(head) - 3)
    made, asked = reader()
    assert made.handle(Mail(head + b"\r\n\r\n" + b"x" * 999)) == "Failed"
    assert len(asked) == told


@pytest.mark.parametrize(
    ("settings", "evidence"),
    [
        ({}, Evidence.CLAIMED),
        ({"trusted": True}, Evidence.PROVEN),
        ({"authserv_id": "mx.example"}, Evidence.VOUCHED),
        ({"authserv_id": "other.example"}, Evidence.CLAIMED),
    ],
)
def test_how_sure_we_are(settings: dict[str, Any], evidence: Evidence) -> None:
    """The mailbox's own server is believed, and only by the id that was set."""
    results = b"Authentication-Results: mx.example; dmarc=pass header.from=x.example\r\n"
    made, asked = reader(**settings)
    made.handle(Mail(results + GOOD))
    assert asked[0].evidence is evidence


def test_failures_of_ours_are_raised() -> None:
    """The mail stays where it is."""
    made, _ = reader(Overloaded())
    with pytest.raises(Overloaded):
        made.handle(Mail(GOOD))


@pytest.mark.parametrize("answer", [None, ValueError("a defect"), Overloaded()])
def test_giving_up_always_ends_in_the_failed_folder(answer: Exception | None) -> None:
    """Its sender is told, if that can be done."""
    made, asked = reader(answer)
    assert made.give_up(Mail(GOOD)) == "Failed"
    assert asked[0].command == ParseError("mail_not_handled")


def test_a_verified_mail_and_the_head_of_one() -> None:
    """What was signed is verified; of a head alone nobody can say more than it claims."""
    made, asked = reader(verifier=lambda _content, _message: Evidence.PROVEN)
    made.handle(Mail(GOOD))
    made.handle(Mail(LONG_LINE))
    assert [request.evidence for request in asked] == [Evidence.PROVEN, Evidence.CLAIMED]


def test_a_mail_without_a_good_signature_is_claimed_not_forged() -> None:
    """It may have passed by SPF, which cannot be seen in a mailbox."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspf's source has escapes that Python warns of
        for extra in ("dkim", "spf", "authheaders"):
            pytest.importorskip(extra, reason="needs the extra mailauth")
    records = {"_dmarc.x.example": ["v=DMARC1; p=reject"]}
    seen: list[Evidence] = []

    def keep(content: bytes, message: MailMessage) -> Evidence:
        seen.append(verifier_of(lambda name, _: records.get(name, []))(content, message))
        return seen[-1]

    made, _ = reader(verifier=keep)
    made.handle(Mail(GOOD))
    assert seen == [Evidence.CLAIMED]
