"""DKIM, SPF and DMARC evaluated here, for a listener that faces the world (extra `mailauth`).

RFC 6376, 7208, 7489 by dkimpy, pyspf and authheaders. They block on DNS, so this runs in a thread;
all look-ups go through one function, which a test replaces.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.resolver
import spf
from authheaders import dmarc_per_from
from authheaders.dmarc_lookup import DMARCException, get_org_domain
from dkim import DKIM, DKIMException

from call_core.requests import Evidence
from parsers.email_authentication import parse_dkim_signature
from parsers.email_message import MailMessage

SIGNATURE_LIMIT = 4
LOOKUP_TIMEOUT_S = 5.0
SPF_TIMEOUT_S = 20
VOID_LOOKUP_LIMIT = 2  # RFC 7208 section 4.6.4

_ENFORCED = frozenset({"quarantine", "reject"})

# (name, record type) -> records in presentation form, TXT strings joined; [] when there is none.
Lookup = Callable[[str, str], Sequence[str]]


class LookupFailed(Exception):
    """The name servers did not answer: nobody knows now, the sender should try again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a mail reached us: the peer's address, its greeting and the envelope sender."""

    peer: str
    greeting: str
    envelope_from: str


def look_up(name: str, record_type: str) -> Sequence[str]:
    """Ask the system's name servers.

    Raises:
        LookupFailed: they did not answer.
    """
    try:
        answers = dns.resolver.resolve(name, record_type, lifetime=LOOKUP_TIMEOUT_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise LookupFailed(str(error)) from error
    if record_type == "TXT":
        return [b"".join(answer.strings).decode("latin-1") for answer in answers]
    return [answer.to_text().rstrip(".") for answer in answers]


def verified_evidence(
    content: bytes, message: MailMessage, delivery: Delivery, lookup: Lookup = look_up
) -> Evidence:
    """Return what signatures, sending host and policy say of the From address.

    Without a policy an aligned signature is needed all the same. An aligned signature that is
    wrong, with nothing else that vouches, is a forgery.

    Raises:
        LookupFailed: a name server did not answer and nothing else decides.
    """
    policy, strict_dkim, strict_spf = _policy(message.from_domain, lookup)
    passed, failed = _signatures(content, message.from_domain, lookup, strict=strict_dkim)
    if any(passed):
        return Evidence.PROVEN
    if passed or _spf_vouches(message.from_domain, delivery, lookup, strict=strict_spf):
        return Evidence.VOUCHED
    return Evidence.FORGED if failed or policy in _ENFORCED else Evidence.CLAIMED


def evidence_in_thread(
    lookup: Lookup,
) -> Callable[[bytes, MailMessage, str, str, str], Awaitable[Evidence | None]]:
    """Return the check as a channel calls it: off the loop, None when nobody knows now."""

    async def evidence(
        content: bytes, message: MailMessage, peer: str, greeting: str, envelope_from: str
    ) -> Evidence | None:
        delivery = Delivery(peer, greeting, envelope_from)
        try:
            return await asyncio.to_thread(verified_evidence, content, message, delivery, lookup)
        except LookupFailed:
            return None

    return evidence


def _policy(from_domain: str, lookup: Lookup) -> tuple[str, bool, bool]:
    """Return the DMARC policy, and whether DKIM and SPF must be aligned exactly."""

    def record_of(name: str) -> str:
        records = [text for text in lookup(name, "TXT") if text.startswith("v=DMARC1")]
        return records[0] if len(records) == 1 else ""

    try:
        found = dmarc_per_from(from_domain, policy_only=True, dnsfunc=record_of)
    except DMARCException:
        return "", False, False
    record = found[4] or {}
    return str(found[3]), record.get("adkim") == "s", record.get("aspf") == "s"


def _signatures(
    content: bytes, from_domain: str, lookup: Lookup, *, strict: bool
) -> tuple[list[bool], bool]:
    """Return, per good aligned signature, whether it covers the command; and whether one is bad."""

    def key_of(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001  (dkimpy's signature)
        return "".join(lookup(name.decode("ascii").rstrip("."), "TXT")[:1]).encode("latin-1")

    mail = DKIM(content)
    values = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    passed: list[bool] = []
    failed = False
    for at, value in enumerate(values[:SIGNATURE_LIMIT]):
        tags = parse_dkim_signature(value.decode("latin-1"))
        if tags is None or not _aligned(tags.domain, from_domain, strict=strict):
            continue
        try:
            good = bool(mail.verify(at, dnsfunc=key_of))
        except (DKIMException, ValueError):
            good = False
        if good:
            passed.append(tags.covers_command())
        else:
            failed = True
    return passed, failed


def _aligned(domain: str, from_domain: str, *, strict: bool) -> bool:
    if strict or domain == from_domain:
        return domain == from_domain
    return bool(get_org_domain(domain) == get_org_domain(from_domain))


def _spf_vouches(from_domain: str, delivery: Delivery, lookup: Lookup, *, strict: bool) -> bool:
    envelope_domain = delivery.envelope_from.rpartition("@")[2].lower()
    if not envelope_domain or not _aligned(envelope_domain, from_domain, strict=strict):
        return False
    query = _spf_query(lookup)(
        i=delivery.peer, s=delivery.envelope_from, h=delivery.greeting, querytime=SPF_TIMEOUT_S
    )
    result = query.check()[0]
    if result == "temperror":
        raise LookupFailed(envelope_domain)
    return bool(result == "pass")


def _spf_query(lookup: Lookup) -> type[Any]:
    """Return pyspf's query class with our look-up in place of its own."""

    class Query(spf.query):  # type: ignore[misc]  # the library has no types
        """One check; counts names that do not exist, as RFC 7208 asks."""

        voids = 0

        def dns(
            self, name: str, qtype: str, cnames: object = None, *, ignore_void: bool = False
        ) -> list[object]:
            """Return records in pyspf's own forms."""
            del cnames  # the look-up follows aliases itself
            try:
                records = lookup(str(name).rstrip("."), qtype)
            except LookupFailed as error:
                raise spf.TempError(str(error)) from error
            if not records and not ignore_void:
                self.voids += 1
                if self.voids > VOID_LOOKUP_LIMIT:
                    raise spf.PermError("too many names that do not exist")
            if qtype in {"TXT", "SPF"}:
                return [[record.encode("latin-1")] for record in records]
            if qtype == "MX":
                pairs = (record.split() for record in records)
                return [(int(preference), host.rstrip(".")) for preference, host in pairs]
            return list(records)

    return Query
