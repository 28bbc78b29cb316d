"""What a mail says about who vouches for it: Authentication-Results and DKIM-Signature.

RFC 8601 (the field that a border mail server writes after checking), RFC 6376 (DKIM). Nothing is
verified here: a field is only words, and whether its writer is believed is the channel's setting.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from call_core.errors import ParseError
from parsers.email_tokens import Kind, Token, tokenize

SIGNATURE_COUNT_LIMIT = 8
SIGNATURE_LENGTH_LIMIT = 8_192

# What a signature must cover before it proves a command: whoever can change one of these can make
# an old, genuine mail into a new one.
COVERED_FIELDS = frozenset({"from", "to", "date", "subject", "message-id"})

_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One `method=result ptype.property=value …`; keys of `properties` are `header.d` and so on."""

    result: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DkimSignature:
    """The tags of one DKIM-Signature field that matter here (RFC 6376 section 3.5).

    Attributes:
        domain: `d=`, lower case.
        selector: `s=`.
        b: `b=` without blanks; the same value seen twice is the same mail sent twice.
        headers: `h=` in lower case, in order, repeats kept.
        partial_body: an `l=` tag is there, so content may have been appended.
    """

    domain: str
    selector: str
    b: str
    headers: tuple[str, ...]
    partial_body: bool

    def covers_command(self) -> bool:
        """Whether every field that a command depends on is signed, and the whole body."""
        return not self.partial_body and set(self.headers) >= COVERED_FIELDS


def parse_authentication_results(
    header: str, authserv_id: str
) -> Mapping[str, tuple[MethodResult, ...]]:
    """Return the results of one Authentication-Results field by method name.

    Sample: `mx.example.org; dkim=pass (2048 bit) header.d=example.net header.b="aB/c"; spf=fail`

    Args:
        header: the field's value, unfolded.
        authserv_id: the only writer that is believed; compared without regard to case.

    Returns:
        Lower-case methods; `{}` when another server wrote it or it cannot be read. A result that
        cannot be read is left out (RFC 8601 section 2.2: ignore what is not understood).
    """
    try:
        tokens = tokenize(header, ";=")
    except ParseError:
        return {}
    first, *rest = list(_statements(tokens))
    if not first or first[0].text.casefold() != authserv_id.casefold():
        return {}
    found: dict[str, tuple[MethodResult, ...]] = {}
    for statement in rest:
        pairs = _pairs(statement)
        if not pairs:
            continue
        (method, result), *properties = pairs
        name = method.partition("/")[0]
        found[name] = (*found.get(name, ()), MethodResult(result.lower(), dict(properties)))
    return found


def topmost_results(
    headers: Sequence[str], authserv_id: str
) -> Mapping[str, tuple[MethodResult, ...]]:
    """Return the results of the topmost field that `authserv_id` wrote, `{}` when there is none.

    Fields below it may be forged: only the border server's own is above everything it received.
    """
    for header in headers:
        if found := parse_authentication_results(header, authserv_id):
            return found
    return {}


def parse_dkim_signature(value: str) -> DkimSignature | None:
    """Return a DKIM-Signature's tags, None when it is not one.

    Sample: `v=1; a=rsa-sha256; d=example.net; s=k1; h=From:To:Subject; bh=…; b=dzdVyO…`
    """
    tags: dict[str, str] = {}
    for part in value[:SIGNATURE_LENGTH_LIMIT].split(";"):
        name, equals, content = part.partition("=")
        if equals:
            tags[name.strip().lower()] = _BLANKS.sub("", content)
    if not (tags.get("d") and tags.get("b")):
        return None
    headers = tuple(field.lower() for field in tags.get("h", "").split(":") if field)
    return DkimSignature(tags["d"].lower(), tags.get("s", ""), tags["b"], headers, "l" in tags)


def aligned(domain: str, from_domain: str) -> bool:
    """Whether two domains are the same or one contains the other.

    A public-suffix list would be needed to tell `example.co.uk` from `co.uk`; so this is asked only
    after a trusted verifier has said that DMARC passed for `from_domain`.
    """
    one, other = f".{domain.lower()}", f".{from_domain.lower()}"
    return one.endswith(other) or other.endswith(one)


def proves_sender(
    results: Mapping[str, Sequence[MethodResult]],
    signatures: Sequence[DkimSignature],
    from_domain: str,
) -> bool:
    """Whether DMARC passed for the From domain by a signature that covers the whole command."""
    if not passes_dmarc(results, from_domain):
        return False
    return any(
        _is_about(passed, signature) and signature.covers_command()
        for passed in results.get("dkim", ())
        if passed.result == "pass"
        for signature in signatures
        if aligned(signature.domain, from_domain)
    )


def passes_dmarc(results: Mapping[str, Sequence[MethodResult]], from_domain: str) -> bool:
    """Whether DMARC passed, by a signature or by the sending host alone, for this From domain."""
    return any(
        verdict.result == "pass"
        and verdict.properties.get("header.from", "").lower() == from_domain.lower()
        for verdict in results.get("dmarc", ())
    )


def _is_about(passed: MethodResult, signature: DkimSignature) -> bool:
    """Whether a `dkim=pass` speaks of this signature (`header.b` is a beginning of its `b=`)."""
    domain = passed.properties.get("header.d", "")
    if not domain:
        # Gmail writes only the identity: `header.i=@example.net`.
        domain = passed.properties.get("header.i", "").rpartition("@")[2]
    return domain.lower() == signature.domain and signature.b.startswith(
        passed.properties.get("header.b", "")
    )


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    statement: list[Token] = []
    for token in tokens:
        if token.kind is Kind.SPECIAL and token.text == ";":
            yield statement
            statement = []
        else:
            statement.append(token)
    yield statement


def _pairs(statement: Sequence[Token]) -> list[tuple[str, str]]:
    """Return the `key=value` pairs of a statement; [] when it does not consist of such pairs.

    A value goes on for as long as its tokens touch: `header.b=aB/c=` is written without quotes by
    some servers although it holds an equals sign.
    """
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(statement):
        if at + 2 >= len(statement) or statement[at + 1].text != "=":
            return []
        key, value = statement[at], [statement[at + 2]]
        at += 3
        while at < len(statement) and statement[at].glued:
            value.append(statement[at])
            at += 1
        pairs.append((key.text.lower(), "".join(token.text for token in value)))
    return pairs
