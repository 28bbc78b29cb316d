"""Words of a structured mail field: comments, quoted strings, atoms (RFC 5322 section 3.2).

Two readers share this lexer because both decide whom we believe: the From field and
Authentication-Results. Comments nest and quoted strings hide every special, so neither can be read
with a pattern: `a (b (c) <x@y>) "d <z@w>" <e@f>` has one address, and it is the last.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from call_core.errors import ParseError

FIELD_LENGTH_LIMIT = 2_048
ADDRESS_COUNT_LIMIT = 100
LOCAL_PART_LENGTH_LIMIT = 64  # RFC 5321 section 4.5.3.1.1
DOMAIN_LENGTH_LIMIT = 255  # RFC 5321 section 4.5.3.1.2

_SPACE = re.compile(r"\s+")
_COMMENT_RUN = re.compile(r"[^()\\]+")
_QUOTED_RUN = re.compile(r'[^"\\]+')
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_ADDRESS_SPECIALS = "<>,;:@"


class Kind(Enum):
    """What a token is."""

    ATOM = "atom"
    QUOTED = "quoted"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `glued` when nothing, not even a comment, stands between it and the last."""

    kind: Kind
    text: str
    glued: bool


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, still encoded, and an address with a lower-case domain."""

    name: str
    address: str


def tokenize(value: str, specials: str) -> list[Token]:
    """Return the tokens of a field; comments are dropped.

    Args:
        value: the unfolded field, at most `FIELD_LENGTH_LIMIT` characters.
        specials: the single characters that are tokens of their own.

    Raises:
        ParseError: `mail_field_too_long`, or `mail_field_syntax` when a comment or a quoted string
            has no end.
    """
    if len(value) > FIELD_LENGTH_LIMIT:
        raise ParseError("mail_field_too_long", limit=FIELD_LENGTH_LIMIT)
    atom = re.compile(rf'[^\s()"{re.escape(specials)}]+')
    found: list[Token] = []
    at, glued = 0, False
    while at < len(value):
        letter = value[at]
        if space := _SPACE.match(value, at):
            at, glued = space.end(), False
            continue
        if letter == "(":
            at, glued = _end_of_comment(value, at), False
            continue
        if letter == '"':
            at, text = _quoted(value, at)
            found.append(Token(Kind.QUOTED, text, glued))
        elif word := atom.match(value, at):
            at = word.end()
            found.append(Token(Kind.ATOM, word.group(), glued))
        else:
            at += 1
            found.append(Token(Kind.SPECIAL, letter, glued))
        glued = True
    return found


def _end_of_comment(value: str, at: int) -> int:
    """Return where the comment that opens at `at` has ended, inner ones included."""
    depth = 0
    while at < len(value):
        letter = value[at]
        if letter == "\\":
            at += 2
        elif run := _COMMENT_RUN.match(value, at):
            at = run.end()
        else:
            depth += 1 if letter == "(" else -1
            at += 1
            if depth == 0:
                return at
    raise ParseError("mail_field_syntax")


def _quoted(value: str, at: int) -> tuple[int, str]:
    """Return the end and the content of the quoted string that opens at `at`."""
    pieces: list[str] = []
    at += 1
    while at < len(value):
        letter = value[at]
        if letter == '"':
            return at + 1, "".join(pieces)
        if letter == "\\":
            pieces.append(value[at + 1 : at + 2])
            at += 2
            continue
        run = _QUOTED_RUN.match(value, at)
        assert run is not None  # neither the quote nor a backslash
        pieces.append(run.group())
        at = run.end()
    raise ParseError("mail_field_syntax")


def parse_mailbox(value: str) -> Mailbox:
    """Return the one mailbox that a field holds (RFC 5322 section 3.4, without obsolete forms).

    Raises:
        ParseError: `mail_field_too_long`; `mail_field_syntax` when it is not exactly one mailbox.
    """
    return _mailbox(tokenize(value, _ADDRESS_SPECIALS))


def mailboxes_in(value: str) -> tuple[Mailbox, ...]:
    """Return the mailboxes of a list field such as To; what cannot be read is left out."""
    try:
        tokens = tokenize(value[:FIELD_LENGTH_LIMIT], _ADDRESS_SPECIALS)
    except ParseError:
        return ()
    found: list[Mailbox] = []
    for piece in _pieces(tokens):
        try:
            found.append(_mailbox(piece))
        except ParseError:
            continue
    return tuple(found[:ADDRESS_COUNT_LIMIT])


def normalise_address(address: str) -> str:
    """Return an address with its domain in lower case; the local part is its provider's affair."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def _pieces(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the members of an address list; a group's name is dropped with its colon."""
    piece: list[Token] = []
    for token in tokens:
        if _is(token, ",") or _is(token, ";"):
            yield piece
            piece = []
        elif _is(token, ":"):
            piece = []
        else:
            piece.append(token)
    yield piece


def _is(token: Token, special: str) -> bool:
    return token.kind is Kind.SPECIAL and token.text == special


def _mailbox(tokens: list[Token]) -> Mailbox:
    opens = [i for i, token in enumerate(tokens) if _is(token, "<")]
    if not opens:
        return Mailbox("", _address(tokens))
    start = opens[0]
    if len(opens) > 1 or not _is(tokens[-1], ">"):
        raise ParseError("mail_field_syntax")
    address = _address(tokens[start + 1 : -1])
    phrase = tokens[:start]
    if any(_is(token, special) for token in phrase for special in ",;:>"):
        raise ParseError("mail_field_syntax")
    name = "".join(token.text if token.glued else f" {token.text}" for token in phrase).strip()
    at_signs = any(_is(token, "@") for token in phrase)
    if at_signs and normalise_address(name) != address:
        # `victim@bank.example <thief@elsewhere.example>`: verifiers disagree on who that is.
        raise ParseError("mail_field_syntax")
    return Mailbox(name, address)


def _address(tokens: list[Token]) -> str:
    """Return `local@domain` from the tokens of an addr-spec; nothing may stand between them."""
    text = "".join(token.text for token in tokens)
    local, _, domain = text.rpartition("@")
    whole = all(token.glued for token in tokens[1:])
    plain = all(token.kind is not Kind.QUOTED for token in tokens)
    short = len(local) <= LOCAL_PART_LENGTH_LIMIT and len(domain) <= DOMAIN_LENGTH_LIMIT
    if not (
        whole and plain and short and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)
    ):
        raise ParseError("mail_field_syntax")
    return normalise_address(text)
