"""What a border mail server's words are worth."""

import pytest

from call_core.requests import Evidence
from channels.kit.mail_trust import evidence_of_results
from parsers.email_message import decode_message

SIGNED = "DKIM-Signature: d=x.example; h=From:To:Date:Subject:Message-ID; b=AAAA"
LESS = "DKIM-Signature: d=x.example; h=From:Date; b=AAAA"
PASS = "Authentication-Results: mx; dmarc=pass header.from=x.example"
FAIL = "Authentication-Results: mx; dmarc=fail header.from=x.example"


@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ([], Evidence.CLAIMED),
        ([f"{PASS}; dkim=pass header.d=x.example", SIGNED], Evidence.PROVEN),
        ([f"{PASS}; dkim=pass header.d=x.example", LESS], Evidence.VOUCHED),
        ([f"{PASS}; dkim=pass header.d=x.example"], Evidence.VOUCHED),
        ([f"{PASS}; spf=pass", SIGNED], Evidence.VOUCHED),
        ([FAIL], Evidence.CLAIMED),
        ([f"{FAIL} policy.dmarc=none"], Evidence.CLAIMED),
        ([f"{FAIL} policy.dmarc=reject"], Evidence.FORGED),
        ([f"{FAIL} policy.published-domain-policy=quarantine"], Evidence.FORGED),
        ([FAIL.replace("fail", "fail action=oreject")], Evidence.FORGED),
        (["Authentication-Results: mx; dmarc=none"], Evidence.CLAIMED),
        ([f"{FAIL} policy.dmarc=reject", PASS], Evidence.FORGED),
        ([PASS.replace("mx", "other")], Evidence.CLAIMED),
    ],
)
def test_only_the_topmost_words_of_our_own_server_count(
    fields: list[str], evidence: Evidence
) -> None:
    """From PROVEN to FORGED."""
    message = decode_message(
        "\n".join(["From: ann@x.example", *fields, "", "call mom"]).encode(),
        envelope_from="ann@x.example",
        envelope_to=(),
        own_addresses=(),
        own_domains=(),
    )
    assert evidence_of_results(message, "mx") is evidence
