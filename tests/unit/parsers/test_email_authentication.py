"""Who vouches for a mail: words of a trusted server and tags of a signature."""

import pytest

from parsers.email_authentication import (
    MethodResult,
    aligned,
    parse_authentication_results,
    parse_dkim_signature,
    passes_dmarc,
    proves_sender,
    topmost_results,
)

ME = "mx.example.org"
HEADERS = "From:To:Date:Subject:Message-ID"
DMARC = "dmarc=pass header.from=corp.example.com"
DKIM = "dkim=pass header.d=corp.example.com"
SIGNATURE = f"v=1; d=Corp.Example.com; s=k1; h={HEADERS};\r\n bh=xx; b=dzdV yOfA\r\n KCdL"


@pytest.mark.parametrize(
    ("header", "methods"),
    [
        ("mx.example.org; none", {}),
        ("MX.EXAMPLE.ORG 1; spf=pass", {"spf": [("pass", {})]}),
        (
            (
                "mx.example.org; DKIM/1=Pass (a (nested; dkim=fail) comment) header.d=x.example"
                ' header.b="aB/c+" reason="good; spf=fail"; spf=softfail smtp.mailfrom=a@x.example'
            ),
            {
                "dkim": [
                    (
                        "pass",
                        {"header.d": "x.example", "header.b": "aB/c+", "reason": "good; spf=fail"},
                    )
                ],
                "spf": [("softfail", {"smtp.mailfrom": "a@x.example"})],
            },
        ),
        (
            "mx.example.org; dkim=fail header.b=aB/c=; dkim = pass header.i=@x.example",
            {"dkim": [("fail", {"header.b": "aB/c="}), ("pass", {"header.i": "@x.example"})]},
        ),
        ("mx.example.org; spf pass; =; dkim=; dmarc=pass", {"dmarc": [("pass", {})]}),
        ("other.example.org; spf=pass", {}),
        ('"mx.example.org"; spf=pass', {"spf": [("pass", {})]}),
        ("(mx.example.org) other.example.org; spf=pass", {}),
        ("; spf=pass", {}),
        ("", {}),
        ("mx.example.org; spf=pass (no end", {}),
    ],
)
def test_results_are_read_by_method(
    header: str, methods: dict[str, list[tuple[str, dict[str, str]]]]
) -> None:
    """Comments nest, strings hide separators, strangers and nonsense are ignored."""
    expected = {
        method: tuple(MethodResult(result, properties) for result, properties in rows)
        for method, rows in methods.items()
    }
    assert parse_authentication_results(header, ME) == expected


def test_only_the_topmost_field_of_the_trusted_server_counts() -> None:
    """A sender can write the same words further down."""
    headers = ["other.example.org; dmarc=fail", f"{ME}; dmarc=fail", f"{ME}; dmarc=pass"]
    assert topmost_results(headers, ME)["dmarc"][0].result == "fail"
    assert topmost_results(headers[:1], ME) == {}


def test_a_signature_gives_its_tags() -> None:
    """Folding is undone, names are lower case, `b=` keeps its case."""
    signature = parse_dkim_signature(SIGNATURE)
    assert signature is not None
    assert (signature.domain, signature.selector, signature.b) == (
        "corp.example.com",
        "k1",
        "dzdVyOfAKCdL",
    )
    assert signature.headers == ("from", "to", "date", "subject", "message-id")
    assert signature.covers_command()


@pytest.mark.parametrize("value", ["", "v=1", "d=x.example", "b=AAAA", "d=; b=AAAA", ";;;nonsense"])
def test_a_field_without_domain_or_value_is_no_signature(value: str) -> None:
    """There is nothing to claim and nobody to align."""
    assert parse_dkim_signature(value) is None


@pytest.mark.parametrize(
    "value",
    [
        SIGNATURE.replace("Subject:", ""),
        SIGNATURE.replace(":Message-ID", ""),
        f"{SIGNATURE}; l=100",
        "d=corp.example.com; b=dzdV",
    ],
)
def test_a_signature_that_leaves_something_open_covers_no_command(value: str) -> None:
    """An unsigned Subject or an appended body makes an old mail into a new command."""
    signature = parse_dkim_signature(value)
    assert signature is not None
    assert not signature.covers_command()


@pytest.mark.parametrize(
    ("results", "signature", "proves", "dmarc"),
    [
        (f"{DMARC}; {DKIM}", SIGNATURE, True, True),
        (f"{DMARC.upper()}; dkim=pass header.i=@corp.example.com", SIGNATURE, True, True),
        (f"{DMARC}; {DKIM} header.b=dzdVyOfA", SIGNATURE, True, True),
        (f"{DMARC}; {DKIM} header.b=other", SIGNATURE, False, True),
        (f"{DMARC}; dkim=fail header.d=corp.example.com", SIGNATURE, False, True),
        (f"{DMARC}; dkim=pass header.d=evil.example.net", SIGNATURE, False, True),
        (f"{DMARC}; spf=pass", SIGNATURE, False, True),
        (f"{DMARC}; {DKIM}", f"{SIGNATURE}; l=1", False, True),
        (f"dmarc=pass header.from=evil.example.net; {DKIM}", SIGNATURE, False, False),
        (f"dmarc=fail header.from=corp.example.com; {DKIM}", SIGNATURE, False, False),
        (f"dmarc=pass; {DKIM}", SIGNATURE, False, False),
        (DKIM, SIGNATURE, False, False),
    ],
)
def test_proof_needs_dmarc_by_a_covering_signature(
    results: str, signature: str, *, proves: bool, dmarc: bool
) -> None:
    """SPF alone vouches for a host, not for a person."""
    parsed = parse_authentication_results(f"{ME}; {results}", ME)
    tags = parse_dkim_signature(signature)
    assert tags is not None
    assert proves_sender(parsed, [tags], "corp.example.com") is proves
    assert passes_dmarc(parsed, "corp.example.com") is dmarc


def test_a_signature_of_an_unrelated_domain_proves_nothing() -> None:
    """Anybody can sign with a domain of their own."""
    parsed = parse_authentication_results(
        f"{ME}; dmarc=pass header.from=corp.example.com; dkim=pass header.d=evil.example.net", ME
    )
    tags = parse_dkim_signature(SIGNATURE.replace("Corp.Example.com", "evil.example.net"))
    assert tags is not None
    assert not proves_sender(parsed, [tags], "corp.example.com")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x.example", "X.EXAMPLE", True),
        ("mail.x.example", "x.example", True),
        ("x.example", "mail.x.example", True),
        ("notx.example", "x.example", False),
        ("y.example", "x.example", False),
    ],
)
def test_alignment_goes_by_whole_labels(one: str, other: str, *, same: bool) -> None:
    """`notx.example` does not belong to `x.example`."""
    assert aligned(one, other) is same
