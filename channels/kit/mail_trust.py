"""How sure we are who wrote a mail, from what a border mail server wrote on it (RFC 8601)."""

from call_core.requests import Evidence
from parsers.email_authentication import passes_dmarc, proves_sender, topmost_results
from parsers.email_message import MailMessage

_ENFORCED = frozenset({"quarantine", "reject", "oreject"})
# Where servers write the domain's policy beside `dmarc=fail`: OpenDMARC and Exchange.
_POLICY_PROPERTIES = ("policy.published-domain-policy", "policy.dmarc", "action")


def evidence_of_results(message: MailMessage, authserv_id: str) -> Evidence:
    """Return what the trusted server's Authentication-Results say of the From address.

    PROVEN: DMARC passed by a signature that covers the whole command. VOUCHED: it passed, by the
    sending host or a lesser signature. FORGED: it failed and the domain asks to be strict.
    CLAIMED: anything else, no such field included.

    Args:
        message: from a peer that is known to take forged fields of this id out.
        authserv_id: the id that our own border server writes.
    """
    results = topmost_results(message.authentication_results, authserv_id)
    if proves_sender(results, message.dkim_signatures, message.from_domain):
        return Evidence.PROVEN
    if passes_dmarc(results, message.from_domain):
        return Evidence.VOUCHED
    for verdict in results.get("dmarc", ()):
        policies = {verdict.properties.get(name, "").lower() for name in _POLICY_PROPERTIES}
        if verdict.result == "fail" and policies & _ENFORCED:
            return Evidence.FORGED
    return Evidence.CLAIMED
