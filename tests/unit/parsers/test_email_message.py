"""Mail as it really arrives, and mail that tries to pass for something else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from call_core.errors import ParseError
from parsers import email_message
from parsers.email_message import MailMessage, decode_message

MAIL = Path(__file__).parents[2] / "wire" / "mail"
OWN_ADDRESSES = ["Call@gw.example.org"]
OWN_DOMAINS = ["GW.example.org"]


def decode(
    content: bytes, envelope_from: str | None = "ann@x.example", envelope_to: tuple[str, ...] = ()
) -> MailMessage:
    """Decode for the gateway of these tests."""
    return decode_message(
        content,
        envelope_from=envelope_from,
        envelope_to=envelope_to,
        own_addresses=OWN_ADDRESSES,
        own_domains=OWN_DOMAINS,
    )


def mail(*fields: str, body: str = "call mom\n") -> bytes:
    """Return a small mail from Ann with more fields and a body."""
    return "\n".join(["From: ann@x.example", *fields, "", body]).encode()


# file | From | body command (~ is a line end) | subject command | automatic | ref
CORPUS = """
blackberry_base64_footer  | ann@carrier.example.net    | call Zoë from cell                     |                    |                |
blackberry_reply_qp       | ann@carrier.example.net    | add bob                                |                    |                | 4F7
gmail_multipart_quote     | bob.gee@gmail.example.com  | call +1 616 977 9933 from office       |                    |                |
gmail_html_only           | bob.gee@gmail.example.com  | conf mom,~bob, +44 20 7946 0018        |                    |                |
outlook_html_only         | carol.jones@corp.example.com | call 616-977-9933 code ACME-12       |                    |                |
outlook_mobile_reply      | carol.jones@corp.example.com | mom                                  |                    |                |
iphone_smart_punctuation  | zoe@icloud.example.com     | call 616-977-9933 private              |                    |                |
flowed_command            | dan@tb.example.net         | conf mom, bob, +44 20 7946 0018, +49 30 901820, +33 1 42 68 53 00, +1 616 977 9933 at mon 9am london for 30 min | conference | |
flowed_delsp              | dan@tb.example.net         | call 6169779933                        |                    |                |
dsn_bounce                | MAILER-DAEMON@mx.example.net | call 415 555 0100                    |                    | null_sender    |
vacation_reply            | erin@corp.example.com      | I am away. In urgent cases call 415 555 0100. |             | auto_submitted | 4F7
mailing_list              | fred@lists.example.org     | call 415 555 0100                      | [pagers] call 415 555 0100 | list   |
suppress_but_person       | gil@corp.example.com       | call mom                               |                    | suppress       |
from_with_decoy           | eve@evil.example.com       | call 415 555 0100                      |                    |                |
broken_charset            | hal@old.example.net        | call Zoë from Café                     |                    |                |
subject_only_rfc2047      | ivy@phone.example.net      |                                        | call Zoë max $5    |                |
subject_only_pager        | 2125550100@page.example.net |                                       | 616 977 9933       |                |
subject_and_body_differ   | ivy@phone.example.net      | call dad                               | call mom           |                |
number_as_address         | ivy@phone.example.net      |                                        |                    |                |
plus_number_as_address    | ivy@phone.example.net      | from office                            |                    |                |
forwarded_inline          | jim@corp.example.com       |                                        |                    |                |
forwarded_attached        | jim@corp.example.com       |                                        |                    |                |
text_attachment           | jim@corp.example.com       |                                        | call mom           |                |
tnef_only                 | kim@exchange.example.com   |                                        | call mom           |                |
german_quote              | joerg@post.example.de      | mom                                    |                    |                |
french_quote              | luc@poste.example.fr       | call 01 42 68 53 00                    |                    |                |
bottom_posted             | max@unix.example.net       | call mom                               |                    |                |
from_to_form              | ned@corp.example.com       | From: 415 555 1212~To: 212 555 1212    |                    |                |
conference_list           | ned@corp.example.com       | conf mom,~bob~+44 20 7946 0018     |                    |                |
lookalike_digits          | ned@corp.example.com       | call ٤١٥ 555 0100                      |                    |                |
no_message_id             | ned@corp.example.com       |                                        | balance            |                |
border_authenticated      | ned@corp.example.com       | call mom                               |                    |                |
"""  # noqa: E501  (a table reads by its columns)
ROWS = [[cell.strip() for cell in line.split("|")] for line in CORPUS.strip().splitlines()]
REFUSED = {
    "two_from_fields": "mail_field_repeated",
    "two_from_addresses": "mail_field_syntax",
    "from_with_bare_decoy": "mail_field_syntax",
}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_mail_of_the_corpus_says_what_its_author_wrote(row: list[str]) -> None:
    """Quotes, footers, charsets and wrapping change nothing of who asked for what."""
    name, author, body, subject, automatic, ref = row
    decoded = decode((MAIL / f"{name}.eml").read_bytes(), envelope_from=None)
    kind = decoded.automatic.kind if decoded.automatic else ""
    assert (
        decoded.from_address,
        decoded.body_command,
        decoded.subject_command,
        kind,
        decoded.reply_ref or "",
    ) == (author, body.replace("~", "\n"), subject, automatic, ref)


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_a_mail_with_a_doubtful_author_is_refused(name: str, code: str) -> None:
    """Two authors, or two readings of one, are nobody."""
    with pytest.raises(ParseError) as refused:
        decode((MAIL / f"{name}.eml").read_bytes())
    assert refused.value.code == code


def test_every_mail_of_the_corpus_is_in_a_table() -> None:
    """A file that no table names tests nothing."""
    assert {path.stem for path in MAIL.glob("*.eml")} == {row[0] for row in ROWS} | set(REFUSED)


def test_everything_about_a_reply_is_there() -> None:
    """A BlackBerry's answer to us carries the ids that thread it."""
    decoded = decode((MAIL / "blackberry_reply_qp.eml").read_bytes())
    assert decoded.message_id == decoded.external_id == "bb2@bda.example.net"
    assert decoded.in_reply_to == "callgate.obx_01J9.4F7@gw.example.org"
    assert decoded.reply_to_us is not None
    assert decoded.reply_to_us.outbox_id == "obx_01J9"
    assert decoded.is_reply_to_us
    assert decoded.thread.split() == [
        "first@bda.example.net",
        "callgate.obx_01J9.4F7@gw.example.org",
        "bb2@bda.example.net",
    ]
    assert (decoded.subject, decoded.date_ms) == ("Calling mom", 1_795_201_200_000)
    assert decoded.from_domain == "carrier.example.net"


def test_the_ref_in_the_subject_is_enough_to_be_a_reply() -> None:
    """Some pagers drop In-Reply-To; the subject still begins with our ref."""
    decoded = decode(mail("Subject: RE: [4f7] Re[2]: Calling mom"))
    assert (decoded.reply_ref, decoded.subject, decoded.is_reply_to_us) == (
        "4F7",
        "Calling mom",
        True,
    )
    assert decoded.subject_command == ""


def test_brackets_that_hold_no_ref_stay_in_the_subject() -> None:
    """A mailing list's tag is not a call."""
    decoded = decode(mail("Subject: [abc] call mom"))
    assert (decoded.subject, decoded.reply_ref, decoded.thread) == ("[abc] call mom", None, "")


def test_our_own_message_without_a_ref_is_a_reply_to_no_call() -> None:
    """A reply to a balance mail belongs to no call, but its subject is still no command."""
    decoded = decode(
        mail("Subject: Re: call dad", "References: <a@b> <callgate.obx_1.@gw.example.org>", body="")
    )
    assert (decoded.reply_ref, decoded.is_reply_to_us, decoded.candidates) == (None, True, ())


def test_both_commands_are_candidates() -> None:
    """The caller asks when subject and body say different things."""
    decoded = decode((MAIL / "subject_and_body_differ.eml").read_bytes())
    assert decoded.candidates == ("call dad", "call mom")
    assert decoded.command_text == "call dad"
    same = decode(mail("Subject: call mom"))
    assert same.candidates == ("call mom",)


def test_a_subject_with_a_reply_prefix_counts_only_alone() -> None:
    """People answer their own old mails with a new command in the body."""
    assert decode(mail("Subject: Re: call dad")).subject_command == ""
    assert decode(mail("Subject: Re: call dad", body="")).subject_command == "call dad"


def test_a_bare_target_has_the_first_line_to_itself() -> None:
    """First line and rest are given apart; the paragraph is kept whole for conference lists."""
    decoded = decode(mail(body="\n616 977 9933\nBob\n\nmore\n"))
    assert decoded.first_line == "616 977 9933"
    assert decoded.rest == "Bob\n\nmore"
    assert decoded.body_command == "616 977 9933\nBob"


@pytest.mark.parametrize(
    ("recipients", "numbers"),
    [
        (("6169779933@gw.example.org",), ("6169779933",)),
        (("+442079460018@GW.EXAMPLE.ORG",), ("+442079460018",)),
        (("call+616977@gw.example.org", "call.mom@gw.example.org", "call@gw.example.org"), ()),
        (("6169779933@elsewhere.example.org",), ()),
        (("12@gw.example.org", "616-977-9933@gw.example.org"), ()),
        (("6169779933@gw.example.org", "call@gw.example.org"), ("6169779933",)),
        (("6169779933@gw.example.org", "6169779934@gw.example.org"), ("6169779933", "6169779934")),
    ],
)
def test_a_number_as_the_address_is_a_number(
    recipients: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    """Only digits with an optional plus, at a domain of ours; a plus-tag is none."""
    decoded = decode(mail(), envelope_to=recipients)
    assert decoded.address_numbers == numbers
    assert decoded.address_number == (numbers[0] if len(numbers) == 1 else None)


def test_recipients_come_from_the_fields_when_nobody_knows_the_envelope() -> None:
    """A mailbox read over IMAP has only the fields."""
    content = mail("To: Bob <bob@y.example>, 6169779933@gw.example.org")
    assert decode(content).address_number == "6169779933"
    assert decode(mail("Delivered-To: +4420794600@gw.example.org")).address_number == "+4420794600"


@pytest.mark.parametrize(
    ("field", "sender", "automatic"),
    [
        ("Return-Path: <>", None, True),
        ("Return-Path: <ann@x.example>", None, False),
        ("X-Nothing: x", None, False),
        ("X-Nothing: x", "", True),
    ],
)
def test_the_null_sender_is_seen(field: str, sender: str | None, *, automatic: bool) -> None:
    """From the envelope when it is known, else from Return-Path, else not at all."""
    assert (decode(mail(field), envelope_from=sender).automatic is not None) is automatic


def test_lookalike_digits_are_a_refusal_that_can_be_answered() -> None:
    """The author is known, so the mail decodes; its text is not to be read."""
    decoded = decode((MAIL / "lookalike_digits.eml").read_bytes())
    assert decoded.refusal == ParseError("lookalike_digits", digit="٤", example="616 977 9933")
    assert decode(mail("Subject: ４１５ 555 0100", body="")).refusal is not None  # noqa: RUF001  (full-width)
    assert decode(mail("Subject: ４１５ 555 0100")).refusal is None  # noqa: RUF001  (full-width)


def test_a_mail_without_message_id_has_an_id_all_the_same() -> None:
    """The hash of From, Date, Subject and text; any of them changes it."""
    base = ["Date: Fri, 20 Nov 2026 14:00:00 -0500", "Subject: x"]
    ids = [
        decode(mail(*base)).external_id,
        decode(mail(base[0], "Subject: y")).external_id,
        decode(mail("Date: Fri, 20 Nov 2026 14:00:01 -0500", base[1])).external_id,
        decode(mail(*base, body="call dad")).external_id,
        decode(mail(*base).replace(b"ann@", b"bob@")).external_id,
    ]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("hash:") for one in ids)
    assert decode(mail(*base, "X-Other: 1")).external_id == ids[0]


def test_two_deliveries_of_one_mail_have_the_same_fingerprint() -> None:
    """The envelope and trace fields differ between SMTP and IMAP; the content does not."""
    one = decode(mail("Message-ID: <a@b>"), envelope_to=("6169779933@gw.example.org",))
    two = decode(b"Received: by x\n" + mail("Message-ID: <a@b>"), envelope_from=None)
    other = decode(mail("Message-ID: <a@b>", body="call dad"))
    assert one.content_fingerprint == two.content_fingerprint != other.content_fingerprint


@pytest.mark.parametrize(
    ("value", "message_id"),
    [
        ("<a.B@C.example>", "a.B@C.example"),
        ("  <a@b> (comment)", "a@b"),
        ("a@b", "a@b"),
        ("<a@\n b>", ""),
        ("two words", ""),
        ("<Zoë@b>", ""),
        (f"<{'a' * 510}@b>", f"{'a' * 510}@b"),
        (f"<{'a' * 511}@b>", ""),
    ],
)
def test_message_ids_are_taken_as_written_or_not_at_all(value: str, message_id: str) -> None:
    """An id that cannot go into our References is no id; 512 characters are the limit."""
    assert decode(mail(f"Message-ID: {value}")).message_id == message_id


@pytest.mark.parametrize(
    ("date", "instant_ms"),
    [
        ("Fri, 20 Nov 2026 14:00:00 -0500", 1_795_201_200_000),
        ("20 Nov 26 19:00:00 GMT (comment)", 1_795_201_200_000),
        ("20 Nov 2026 19:00:00", None),
        ("20 Nov 99999999999 19:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_are_instants_or_nothing(date: str, instant_ms: int | None) -> None:
    """A date without a zone names no instant."""
    assert decode(mail(f"Date: {date}")).date_ms == instant_ms


def test_what_the_border_server_wrote_is_kept_in_order() -> None:
    """Topmost first: only the topmost is the border server's own."""
    decoded = decode((MAIL / "border_authenticated.eml").read_bytes())
    assert len(decoded.authentication_results) == 2
    assert "corp.example.com" in decoded.authentication_results[0]
    assert [signature.b for signature in decoded.dkim_signatures] == [
        "dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR"
    ]


def nested(levels: int) -> bytes:
    """Return a mail whose text lies under `levels - 1` multiparts."""
    opening = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels - 1)
    )
    return f"From: ann@x.example\n{opening}Content-Type: text/plain\n\ncall mom\n".encode()


def fields_of(size: int) -> bytes:
    """Return a mail whose header has this many octets."""
    head = b"From: ann@x.example"
    lines = b""
    while len(head) + len(lines) + 1 < size:
        left = size - len(head) - len(lines)
        lines += b"\nX:" + b"a" * (min(left, 900) - 3 if left > 903 or left <= 900 else 890)
    return head + lines + b"\n\ncall mom"


LIMITS = [
    ("mail_too_large", lambda n: mail(body="call mom\n\n" + "x\n" * n)[:n], "MESSAGE_SIZE_LIMIT"),
    ("mail_line_too_long", lambda n: mail(body="x" * n), "LINE_LENGTH_LIMIT"),
    ("mail_header_too_large", fields_of, "HEADER_SIZE_LIMIT"),
    (
        "mail_field_too_long",
        lambda n: mail(
            "Content-Type: text/plain;\n " + "\n ".join(["x" * 500] * 3 + ["x" * (n - 1_533)])
        ),
        "CONTENT_FIELD_LIMIT",
    ),
    (
        "mail_too_many_parts",
        lambda n: mail(body="Content-Type: message/rfc822\n" * n),
        "CONTAINER_LIMIT",
    ),
    ("mail_too_many_parts", lambda n: mail(body="\n--x" * n), "DELIMITER_LIMIT"),
]


@pytest.mark.parametrize(("code", "make", "limit"), LIMITS, ids=[row[2] for row in LIMITS])
def test_limits_hold_at_the_limit_and_one_past_it(code: str, make: object, limit: str) -> None:
    """Each named limit lets its own value pass and refuses one more, before parsing."""
    assert callable(make)
    value = getattr(email_message, limit)
    decode(make(value))
    with pytest.raises(ParseError) as refused:
        decode(make(value + 1))
    assert refused.value.code == code
    assert refused.value.fields["limit"] == value


def test_nesting_is_limited() -> None:
    """Twenty levels are read, twenty-one are refused, and two thousand cost nothing."""
    assert decode(nested(20)).body_command == "call mom"
    with pytest.raises(ParseError, match="mail_nested_too_deep"):
        decode(nested(21))
    with pytest.raises(ParseError, match="mail_too_many_parts"):
        decode(nested(2_000))


def test_small_counts_are_limited_without_refusing() -> None:
    """Many prefixes, references, signatures and recipients are cut, not believed."""
    prefixes = decode(mail(f"Subject: {'Re: ' * 11}x"))
    assert prefixes.subject == "Re: x"
    assert decode(mail(f"Subject: {'Re: ' * 10}x")).subject == "x"
    references = " ".join(f"<{n}@x>" for n in range(51))
    assert decode(mail(f"References: {references}")).references[0] == "1@x"
    signatures = ["DKIM-Signature: d=x.example; b=AAAA"] * 9
    assert len(decode(mail(*signatures)).dkim_signatures) == 8
    recipients = tuple(f"61697799{n}@gw.example.org" for n in range(10, 19))
    assert len(decode(mail(), envelope_to=recipients).address_numbers) == 8


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"From: ann@x.example\n\ncall\0mom", "mail_nul"),
        (b"From: ann@x.example\nX: a\rSubject: b\n\nx", "mail_bare_return"),
        (b"From: ann@x.example\n\na\rb", "mail_bare_return"),
        (b"", "mail_from_missing"),
        (b"Subject: x\n\nx", "mail_from_missing"),
        (b"From: \n\nx", "mail_field_syntax"),
        (b"From: nobody\n\nx", "mail_field_syntax"),
        *[
            (mail(f"{name}: a@b", f"{name.upper()}: c@d"), "mail_field_repeated")
            for name in ("Subject", "Date", "Message-ID", "To", "In-Reply-To", "References")
        ],
        (mail("Content-Type: text/plain", "Content-Type: text/html"), "mail_field_repeated"),
    ],
)
def test_what_two_programs_would_read_differently_is_refused(content: bytes, code: str) -> None:
    """NUL, bare CR, repeated fields and a missing author are never guessed about."""
    with pytest.raises(ParseError) as refused:
        decode(content)
    assert refused.value.code == code


FRAGMENTS = st.sampled_from(
    [
        *("From: ann@x.example\n", "From: ", "Subject: ", "=?utf-8?B?", "=?x?q?", "?=", "Date: "),
        *("Content-Type: multipart/mixed; boundary=b\n", "Content-Type: text/html\n", "\n--b\n"),
        *(
            "Content-Type: text/plain; charset*=x''%00; format=flowed\n",
            "Content-Type: ",
            "; name*0=",
        ),
        *("Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: x-uuencode\n", "\n\n"),
        *(
            "begin 644 x\n",
            "Content-Disposition: attachment; filename*=%\n",
            '"',
            "(",
            ")",
            "<",
            ">",
        ),
        *(
            "\\",
            ">",
            "On 1\n",
            "wrote:\n",
            "-- \n",
            "From: a\nSent: b\n",
            "call mom\n",
            "\xff",
            "٤",
        ),
        *(
            "<div class=gmail_quote>",
            "<div id=divRplyFwdMsg>",
            "</div>",
            "<!--",
            "\r\n",
            "Message-ID: ",
        ),
        *(
            "charset=unicode_escape\n",
            "charset=undefined\n",
            "charset=utf-7\n",
            "charset=idna\n",
            "\\N{",
        ),
    ]
)


def test_a_charset_of_rfc_2231_is_read() -> None:
    """The standard library's own message class stumbles over it."""
    head = b"From: ann@x.example\r\nContent-Type: text/plain; charset*=utf-8''utf-8\r\n\r\n"
    assert decode(head + "caf\u00e9".encode()).text == "caf\u00e9"


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(FRAGMENTS, max_size=30).map("".join)))
def test_any_octets_give_a_message_or_a_parse_error(content: bytes | str) -> None:
    """Nothing that arrives may raise anything else: it would look like a fault of ours."""
    octets = content if isinstance(content, bytes) else content.encode("latin-1", "replace")
    for candidate in (octets, b"From: ann@x.example\n" + octets):
        try:
            decoded = decode(candidate, envelope_from=None)
        except ParseError:
            continue
        assert decoded.from_address.count("@") == 1
        assert "\n\n" not in decoded.command_text
