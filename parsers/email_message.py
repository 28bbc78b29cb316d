"""One mail as a request: who, when, which words, and why it may be no request at all.

RFC 5322 and MIME, read from octets. The structure is parsed by the standard library; the fields
that decide whom we believe are read by our own strict reader, since two programs that read one mail
differently are how forgeries get in. Anything ambiguous is a `ParseError`, never a guess.
"""

import hashlib
import re
from calendar import timegm
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate_tz

from call_core.errors import ParseError
from call_core.ids import is_ref
from parsers.email_authentication import (
    SIGNATURE_COUNT_LIMIT,
    DkimSignature,
    parse_dkim_signature,
)
from parsers.email_compose import OwnMessageId, parse_own_message_id
from parsers.email_reply import new_words
from parsers.email_signals import AutomaticSignal, Envelope, automatic_signal
from parsers.email_text import body_text, decode_field, lookalike_digit
from parsers.email_tokens import (
    Mailbox,
    mailboxes_in,
    parse_mailbox,
)

MESSAGE_SIZE_LIMIT = 1_048_576  # octets
LINE_LENGTH_LIMIT = 998  # octets without the line end, RFC 5322 section 2.1.1
HEADER_SIZE_LIMIT = 65_536  # octets of all fields of the message itself
CONTENT_FIELD_LIMIT = 2_048  # octets of one Content-… field, continuation lines included
CONTAINER_LIMIT = 100  # multipart and message parts
DELIMITER_LIMIT = 1_000  # lines that begin with two dashes
REFERENCE_LIMIT = 50
MESSAGE_ID_LIMIT = 512
DATE_LENGTH_LIMIT = 100
SUBJECT_PREFIX_LIMIT = 10
ADDRESS_NUMBER_LIMIT = 8  # recipients of one mail that are numbers

# Fields that may stand once (RFC 5322 section 3.6); with two, two readers see two mails.
_SINGLE_FIELDS = (
    *("From", "Subject", "Date", "Message-ID", "To", "In-Reply-To", "References"),
    *("Content-Type", "Content-Transfer-Encoding"),
)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_CONTENT_FIELD = re.compile(rb"\ncontent-[a-z-]+:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE)
_CONTAINER = re.compile(rb"\ncontent-type:\s*(?:multipart|message)/", re.IGNORECASE)
_FOLD = re.compile(r"[\r\n]+")
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")
_REPLY_PREFIX = re.compile(
    r"(?:re|aw|antw|sv|vs|odp|res|rif|r|ynt|回复|回覆|答复|fwd?|wg|tr|rv|enc|i|vb|doorst|转发|轉寄)"
    r"\s?(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s?[:：]\s*",  # noqa: RUF001  (the Chinese colon)
    re.IGNORECASE,
)
_ZONE = re.compile(r"\d:\d\d\s+(?:[+-]\d{4}|[A-Z]{1,5}\b)")
_SUBJECT_REF = re.compile(r"\[([0-9A-Za-z]{3,9})\]\s*")
_BULLET = re.compile(r"\n[-*\u2022] +")
_ADDRESS_NUMBER = re.compile(r"\+?[0-9]{3,32}")


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A decoded mail.

    Attributes:
        message_id: as written, without angle brackets; "" when missing or unusable.
        fallback_id: hash of From, Date, Subject and text, for mail without a Message-ID.
        content_fingerprint: hash of what the command depends on; two deliveries of one mail have
            the same one, whatever way they came.
        from_address: the one author, domain in lower case.
        from_name: decoded display name.
        date_ms: the Date field, milliseconds since 1970 UTC; None without a readable one.
        subject: decoded, `Re:`, `Fwd:` and our own `[4F7]` taken off.
        subject_ref: the ref that stood there in brackets, or None.
        text: the author's own words: no quotes, signatures, sign-offs.
        first_line: of `text`; a bare target must be the whole of it.
        rest: what follows the first line.
        body_command: the first paragraph of `text`, lines kept and list bullets gone: what the
            grammar may read.
        subject_command: the subject, when it may be a command; "" in a reply to us, beside a quote
            or an attached mail, and with `Re:` above words in the body.
        in_reply_to, references: Message-IDs without angle brackets.
        reply_to_us: what our own Message-ID says that this mail answers, or None.
        address_numbers: the numbers written as local parts of our addresses, in order.
        automatic: why it must not launch or be answered, or None.
        refusal: why no text of this mail may be read as a command, or None.
        authentication_results: raw Authentication-Results fields, topmost first.
        dkim_signatures: at most eight, topmost first.
    """

    message_id: str
    fallback_id: str
    content_fingerprint: str
    from_address: str
    from_name: str
    date_ms: int | None
    subject: str
    subject_ref: str | None
    text: str
    first_line: str
    rest: str
    body_command: str
    subject_command: str
    in_reply_to: str
    references: tuple[str, ...]
    reply_to_us: OwnMessageId | None
    address_numbers: tuple[str, ...]
    automatic: AutomaticSignal | None
    refusal: ParseError | None
    authentication_results: tuple[str, ...]
    dkim_signatures: tuple[DkimSignature, ...]

    @property
    def external_id(self) -> str:
        """The id that repeats are recognised by."""
        return self.message_id or self.fallback_id

    @property
    def from_domain(self) -> str:
        """The domain whose DMARC policy counts."""
        return self.from_address.rpartition("@")[2]

    @property
    def address_number(self) -> str | None:
        """The number that the mail was addressed to, when there is exactly one."""
        return self.address_numbers[0] if len(self.address_numbers) == 1 else None

    @property
    def command_text(self) -> str:
        """The text for the grammar: the body's first paragraph, or else the subject."""
        return self.body_command or self.subject_command

    @property
    def candidates(self) -> tuple[str, ...]:
        """The texts that may be the command; if two parse and differ, ask."""
        both = (self.body_command, self.subject_command)
        return tuple(dict.fromkeys(text for text in both if text))

    @property
    def is_reply_to_us(self) -> bool:
        """Whether it answers a mail of ours, by Message-ID or by the ref in its subject."""
        return self.reply_to_us is not None or self.subject_ref is not None

    @property
    def reply_ref(self) -> str | None:
        """The call that a reply belongs to."""
        answered = self.reply_to_us.ref if self.reply_to_us else ""
        return answered or self.subject_ref

    @property
    def thread(self) -> str:
        """What our answer must refer to, for `compose_reply`."""
        return " ".join((*self.references, *([self.message_id] if self.message_id else [])))


def decode_message(
    content: bytes,
    *,
    envelope_from: str | None,
    envelope_to: Sequence[str],
    own_addresses: Collection[str],
    own_domains: Collection[str],
) -> MailMessage:
    """Return a mail as a request.

    Args:
        content: the octets after DATA, or of an IMAP `BODY[]`.
        envelope_from: MAIL FROM without brackets, "" for `<>`; None reads Return-Path instead.
        envelope_to: RCPT TO; empty reads Delivered-To, X-Original-To, To and Cc instead.
        own_addresses: ours, such as `call@gw.example.org`.
        own_domains: domains whose every address is ours, lower case.

    Raises:
        ParseError: it cannot be told who wrote what. `mail_too_large`, `mail_nul`,
            `mail_bare_return`, `mail_line_too_long`, `mail_header_too_large`,
            `mail_field_too_long`, `mail_field_repeated`, `mail_field_syntax`, `mail_from_missing`,
            `mail_too_many_parts`, `mail_nested_too_deep`.
    """
    _check_octets(content)
    message: Message = BytesParser(policy=compat32).parsebytes(content)
    fields = _fields(message)
    author = _author(fields)
    ours = _Ours(frozenset(map(str.lower, own_addresses)), frozenset(map(str.lower, own_domains)))
    return _Reader(message, fields, author, ours).read(
        _envelope_from(fields, envelope_from), envelope_to or _recipients(fields)
    )


def _check_octets(content: bytes) -> None:
    """Refuse what is too large, or would cost too much to parse, before it is parsed."""
    if len(content) > MESSAGE_SIZE_LIMIT:
        raise ParseError("mail_too_large", limit=MESSAGE_SIZE_LIMIT)
    if b"\0" in content:
        raise ParseError("mail_nul")
    if content.count(b"\r") != content.count(b"\r\n"):
        # Some programs end a line at a bare CR and others do not: a way to smuggle fields in.
        raise ParseError("mail_bare_return")
    longest = max(map(len, content.split(b"\n")))
    if longest > LINE_LENGTH_LIMIT and _longest_line(content) > LINE_LENGTH_LIMIT:
        raise ParseError("mail_line_too_long", limit=LINE_LENGTH_LIMIT)
    _check_shape(content)


def _longest_line(content: bytes) -> int:
    return max(len(line.removesuffix(b"\r")) for line in content.split(b"\n"))


def _check_shape(content: bytes) -> None:
    """Refuse what would cost the standard library's parser seconds: its work grows as a square."""
    begun = b"\n" + content
    end = _HEADER_END.search(content)
    if (end.start() if end else len(content)) > HEADER_SIZE_LIMIT:
        raise ParseError("mail_header_too_large", limit=HEADER_SIZE_LIMIT)
    if any(
        len(found.group()) > CONTENT_FIELD_LIMIT + 1 for found in _CONTENT_FIELD.finditer(begun)
    ):
        raise ParseError("mail_field_too_long", limit=CONTENT_FIELD_LIMIT)
    if len(_CONTAINER.findall(begun)) > CONTAINER_LIMIT:
        raise ParseError("mail_too_many_parts", limit=CONTAINER_LIMIT)
    if content.count(b"\n--") > DELIMITER_LIMIT:
        raise ParseError("mail_too_many_parts", limit=DELIMITER_LIMIT)


def _fields(message: Message) -> Mapping[str, Sequence[str]]:
    """Return the values of every field by lower-case name, topmost first, unfolded.

    Raises:
        ParseError: `mail_field_repeated`.
    """
    fields: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        fields.setdefault(name.lower(), []).append(_FOLD.sub("", value).strip())
    for name in _SINGLE_FIELDS:
        if len(fields.get(name.lower(), ())) > 1:
            raise ParseError("mail_field_repeated", field=name)
    return fields


def _author(fields: Mapping[str, Sequence[str]]) -> Mailbox:
    values = fields.get("from", ())
    if not values:
        raise ParseError("mail_from_missing")
    return parse_mailbox(values[0])


def _envelope_from(fields: Mapping[str, Sequence[str]], given: str | None) -> str | None:
    if given is not None:
        return given
    paths = fields.get("return-path", ())
    return paths[0].strip("<> ") if paths else None


def _recipients(fields: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    names = ("delivered-to", "x-original-to", "to", "cc")
    values = (value for name in names for value in fields.get(name, ()))
    return tuple(mailbox.address for value in values for mailbox in mailboxes_in(value))


@dataclass(frozen=True, slots=True)
class _Ours:
    """Which addresses are ours."""

    addresses: frozenset[str]
    domains: frozenset[str]

    def number(self, address: str) -> str:
        """Return the number that is the local part of an address of ours, else ""."""
        local, _, domain = address.rpartition("@")
        return local if domain.lower() in self.domains and _ADDRESS_NUMBER.fullmatch(local) else ""

    def __call__(self, address: str) -> bool:
        return address.lower() in self.addresses or bool(self.number(address))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Puts the parts of one mail together."""

    message: Message
    fields: Mapping[str, Sequence[str]]
    author: Mailbox
    ours: _Ours

    def read(self, envelope_from: str | None, envelope_to: Sequence[str]) -> MailMessage:
        body = body_text(self.message)
        words = new_words(body.text)
        raw_subject = decode_field(self._first("subject"))
        subject, answering, subject_ref = _bare_subject(raw_subject)
        message_id = _message_id(self._first("message-id"))
        answered, references = self._answered()
        reply_to_us = self._own(answered) or next(filter(None, map(self._own, references)), None)
        body_command = _BULLET.sub("\n", words.text.split("\n\n", 1)[0])
        elsewhere = body.quote_removed or body.message_attached or words.quoted
        replying = reply_to_us is not None or subject_ref is not None
        subject_is_free = not (replying or elsewhere or (answering and words.text))
        subject_command = subject if subject_is_free else ""
        first_line, _, rest = words.text.partition("\n")
        numbers = dict.fromkeys(filter(None, map(self.ours.number, envelope_to)))
        envelope = Envelope(
            envelope_from, self.author.address, self.ours, self._own(message_id) is not None
        )
        date = self._first("date")
        whole = _digest(self.author.address, date, raw_subject, words.text)
        return MailMessage(
            message_id=message_id,
            fallback_id=f"hash:{whole}",
            content_fingerprint=_digest(whole, answered),
            from_address=self.author.address,
            from_name=decode_field(self.author.name),
            date_ms=_instant_ms(date),
            subject=subject,
            subject_ref=subject_ref,
            text=words.text,
            first_line=first_line,
            rest=rest.strip(),
            body_command=body_command,
            subject_command=subject_command,
            in_reply_to=answered,
            references=references,
            reply_to_us=reply_to_us,
            address_numbers=tuple(numbers)[:ADDRESS_NUMBER_LIMIT],
            automatic=automatic_signal(
                self.fields, envelope, self.message.get_content_type(), self.ours.domains
            ),
            refusal=_refusal(body_command or subject_command),
            authentication_results=tuple(self.fields.get("authentication-results", ())),
            dkim_signatures=self._signatures(),
        )

    def _first(self, name: str) -> str:
        values = self.fields.get(name, ())
        return values[0] if values else ""

    def _own(self, message_id: str) -> OwnMessageId | None:
        return parse_own_message_id(message_id, self.ours.domains)

    def _answered(self) -> tuple[str, tuple[str, ...]]:
        """Return the first id of In-Reply-To and the last ones of References."""
        answered = _MESSAGE_ID.findall(self._first("in-reply-to"))
        references = _MESSAGE_ID.findall(self._first("references"))
        short = [one for one in references if len(one) <= MESSAGE_ID_LIMIT and one.isascii()]
        return (_message_id(f"<{answered[0]}>") if answered else ""), tuple(
            short[-REFERENCE_LIMIT:]
        )

    def _signatures(self) -> tuple[DkimSignature, ...]:
        values = self.fields.get("dkim-signature", ())[:SIGNATURE_COUNT_LIMIT]
        return tuple(filter(None, map(parse_dkim_signature, values)))


def _message_id(value: str) -> str:
    found = _MESSAGE_ID.search(value)
    text = found.group(1) if found else value.strip()
    usable = text.isascii() and text.isprintable() and " " not in text
    return text if usable and len(text) <= MESSAGE_ID_LIMIT else ""


def _bare_subject(subject: str) -> tuple[str, bool, str | None]:
    """Return the subject without prefixes, whether it had `Re:` or the like, and its ref."""
    answering, ref = False, None
    for _ in range(SUBJECT_PREFIX_LIMIT):
        if prefix := _REPLY_PREFIX.match(subject):
            answering = True
        elif (prefix := _SUBJECT_REF.match(subject)) and is_ref(prefix.group(1)):
            ref = ref or prefix.group(1).upper()
        else:
            break
        subject = subject[prefix.end() :]
    return subject.strip(), answering, ref


def _instant_ms(date: str) -> int | None:
    """Return a Date field as an instant; None when it cannot be read or names no zone."""
    try:
        parsed = parsedate_tz(date[:DATE_LENGTH_LIMIT])
        if parsed is None or not _ZONE.search(date):
            return None
        return (timegm(parsed[:9]) - (parsed[9] or 0)) * 1000
    except (ValueError, OverflowError):
        return None


def _refusal(command: str) -> ParseError | None:
    digit = lookalike_digit(command)
    return ParseError("lookalike_digits", digit=digit, example="616 977 9933") if digit else None


def _digest(*parts: str) -> str:
    """Return a hash of parts that cannot run into each other."""
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode("utf-8", "surrogateescape")).hexdigest()[:40]
