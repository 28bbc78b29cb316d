"""DKIM, SPF and DMARC with keys made here and a DNS that is a table."""

import warnings
from collections.abc import Sequence

import pytest

from call_core.requests import Evidence
from parsers.email_message import decode_message

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspf's source has escapes that Python will not take for long
    for extra in ("dkim", "spf", "authheaders"):
        pytest.importorskip(extra, reason="the extra mailauth is not installed")

import base64

import dkim
import dns.exception
import dns.resolver
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from channels.kit import mail_verify
from channels.kit.mail_verify import Delivery, LookupFailed, look_up, verified_evidence

KEY = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
COVERED = [b"from", b"to", b"date", b"subject", b"message-id"]
MAIL = (
    b"From: Ann <ann@x.example>\r\nTo: call@gw.example.org\r\nSubject: hello\r\n"
    b"Date: Fri, 20 Nov 2026 14:00:00 -0500\r\nMessage-ID: <1@x.example>\r\n\r\ncall mom\r\n"
)
KEY_RECORD = {("k1._domainkey.x.example", "TXT"): [f"v=DKIM1; k=rsa; p={PUBLIC}"]}
REJECT = {("_dmarc.x.example", "TXT"): ["v=DMARC1; p=reject"]}
STRICT = {("_dmarc.x.example", "TXT"): ["v=DMARC1; p=reject; adkim=s; aspf=s"]}
NONE = {("_dmarc.x.example", "TXT"): ["v=DMARC1; p=none"]}
BROKEN = {("_dmarc.x.example", "TXT"): ["v=DMARC1; p"]}
SPF = {("x.example", "TXT"): ["v=spf1 ip4:192.0.2.1 a:out.x.example mx -all"]}
SPF_HOSTS = {
    ("out.x.example", "A"): ["192.0.2.2"],
    ("x.example", "MX"): ["10 mx.x.example."],
    ("mx.x.example", "A"): ["192.0.2.3"],
}
VOIDS = {("x.example", "TXT"): ["v=spf1 a:1.x.example a:2.x.example a:3.x.example -all"]}
Records = dict[tuple[str, str], list[str]]


def signed(
    content: bytes = MAIL, domain: bytes = b"x.example", headers: Sequence[bytes] = COVERED
) -> bytes:
    """Return the mail with a signature on top."""
    return (
        bytes(dkim.sign(content, b"k1", domain, PRIVATE, include_headers=list(headers))) + content
    )


def evidence(
    content: bytes, records: Records, *, peer: str = "203.0.113.9", sender: str = "ann@x.example"
) -> Evidence:
    """Evaluate a mail with this DNS; a record set of None means no answer."""
    message = decode_message(
        content, envelope_from=sender, envelope_to=(), own_addresses=(), own_domains=()
    )
    delivery = Delivery(peer, "client.example", sender)
    return verified_evidence(content, message, delivery, lambda *key: records.get(key, []))


SUB_KEY = {("k1._domainkey.mail.x.example", "TXT"): KEY_RECORD["k1._domainkey.x.example", "TXT"]}


@pytest.mark.parametrize(
    ("content", "records", "found"),
    [
        (signed(), {**KEY_RECORD, **REJECT}, Evidence.PROVEN),
        (signed(), KEY_RECORD, Evidence.PROVEN),
        (signed(headers=COVERED[:3]), {**KEY_RECORD, **REJECT}, Evidence.VOUCHED),
        (signed().replace(b"call mom", b"call dad"), {**KEY_RECORD, **NONE}, Evidence.FORGED),
        (signed(), REJECT, Evidence.FORGED),
        (signed(domain=b"mail.x.example"), {**SUB_KEY, **REJECT}, Evidence.PROVEN),
        (signed(domain=b"mail.x.example"), {**SUB_KEY, **STRICT}, Evidence.FORGED),
        (signed(domain=b"evil.example.net"), NONE, Evidence.CLAIMED),
        (b"DKIM-Signature: nonsense\r\n" + MAIL, {}, Evidence.CLAIMED),
        (b"DKIM-Signature: d=x.example; b=AAAA\r\n" + MAIL, {}, Evidence.FORGED),
        (MAIL, REJECT, Evidence.FORGED),
        (MAIL, NONE, Evidence.CLAIMED),
        (MAIL, BROKEN, Evidence.CLAIMED),
        (MAIL, {}, Evidence.CLAIMED),
    ],
)
def test_signatures_and_policy_decide(content: bytes, records: Records, found: Evidence) -> None:
    """A whole, aligned signature proves; a broken one, or a strict policy unmet, is a forgery."""
    assert evidence(content, records) is found


@pytest.mark.parametrize(
    ("peer", "sender", "records", "found"),
    [
        ("192.0.2.1", "ann@x.example", {**SPF, **REJECT}, Evidence.VOUCHED),
        ("192.0.2.2", "ann@x.example", {**SPF, **SPF_HOSTS, **REJECT}, Evidence.VOUCHED),
        ("192.0.2.3", "ann@x.example", {**SPF, **SPF_HOSTS, **REJECT}, Evidence.VOUCHED),
        ("192.0.2.9", "ann@x.example", {**SPF, **SPF_HOSTS, **REJECT}, Evidence.FORGED),
        ("192.0.2.9", "ann@x.example", {**VOIDS, **NONE}, Evidence.CLAIMED),
        ("192.0.2.1", "ann@y.example", {**SPF, **NONE}, Evidence.CLAIMED),
        ("192.0.2.1", "", {**SPF, **NONE}, Evidence.CLAIMED),
    ],
)
def test_the_sending_host_vouches_but_never_proves(
    peer: str, sender: str, records: Records, found: Evidence
) -> None:
    """SPF of an aligned envelope domain; anything else of it says nothing of the From address."""
    assert evidence(MAIL, records, peer=peer, sender=sender) is found


def fails_for(names: str) -> mail_verify.Lookup:
    """Return a DNS that does not answer for names that contain `names`."""

    def lookup(name: str, record_type: str) -> Sequence[str]:
        if names in name:
            raise LookupFailed(name)
        return (KEY_RECORD | SPF).get((name, record_type), [])

    return lookup


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("names", "content"), [("_dmarc", MAIL), ("_domainkey", signed()), ("x.example", MAIL)]
)
async def test_nobody_knows_when_no_name_server_answers(names: str, content: bytes) -> None:
    """None, so that the sender's server tries again later."""
    message = decode_message(
        content, envelope_from="a@x.example", envelope_to=(), own_addresses=(), own_domains=()
    )
    check = mail_verify.evidence_in_thread(fails_for(names))
    assert await check(content, message, "192.0.2.1", "client", "ann@x.example") is None
    check = mail_verify.evidence_in_thread(fails_for("nothing at all"))
    assert await check(content, message, "192.0.2.1", "client", "ann@x.example") is not None


def test_spf_that_cannot_be_looked_up_is_not_a_verdict() -> None:
    """A temporary error of SPF is one of ours too."""
    message = decode_message(
        MAIL, envelope_from="a@x.example", envelope_to=(), own_addresses=(), own_domains=()
    )

    def lookup(name: str, record_type: str) -> Sequence[str]:
        if name == "x.example" and record_type == "TXT":
            raise LookupFailed(name)
        return []

    with pytest.raises(LookupFailed):
        verified_evidence(MAIL, message, Delivery("192.0.2.1", "c", "ann@x.example"), lookup)


class Text:
    """A TXT answer of dnspython."""

    strings = (b"v=spf1 ", b"-all")


class Host:
    """Any other answer of dnspython."""

    def to_text(self) -> str:
        """Return the presentation form."""
        return "10 mx.x.example."


@pytest.mark.parametrize(
    ("answer", "record_type", "records"),
    [
        ([Text()], "TXT", ["v=spf1 -all"]),
        ([Host()], "MX", ["10 mx.x.example"]),
        (dns.resolver.NXDOMAIN, "TXT", []),
        (dns.resolver.NoAnswer, "TXT", []),
    ],
)
def test_the_system_resolver_is_read(
    monkeypatch: pytest.MonkeyPatch, answer: object, record_type: str, records: list[str]
) -> None:
    """Strings are joined, dots taken off, and what does not exist is nothing."""

    def resolve(*_: object, **__: object) -> object:
        if isinstance(answer, Exception | type):
            raise answer
        return answer

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    assert look_up("x.example", record_type) == records


def test_a_resolver_that_does_not_answer_is_a_failed_lookup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time-outs and broken servers."""

    def resolve(*_: object, **__: object) -> object:
        raise dns.exception.Timeout

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    with pytest.raises(LookupFailed):
        look_up("x.example", "TXT")
