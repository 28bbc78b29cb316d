"""Mail that we send: threaded, small, answered by no machine, and with no field but ours."""

from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.email_compose import (
    REFERENCES_LENGTH_LIMIT,
    TEXT_LENGTH_LIMIT,
    OwnMessageId,
    compose_reply,
    own_message_id,
    parse_own_message_id,
)
from parsers.email_message import decode_message

DATE_MS = 1_795_201_200_000


def compose(**changes: str) -> bytes:
    """Return a mail to Ann about call 4F7, with some arguments replaced."""
    arguments: dict[str, str] = {
        "message_id": "callgate.obx_1.4F7@gw.example.org",
        "from_address": "call@gw.example.org",
        "to_address": "ann@x.example",
        "subject": "Calling mom",
        "text": "Your phone rings next.\n",
        "ref": "4F7",
        "thread": "first@x.example second@x.example",
        "from_name": 'Callgate "TEST" \\',
        **changes,
    }
    return compose_reply(date_ms=DATE_MS, **arguments)


def test_every_field_of_a_reply_is_there() -> None:
    """What RFC 3834 asks of a service that answers."""
    content = compose()
    fields = {
        name: str(value) for name, value in message_from_bytes(content, policy=default).items()
    }
    assert fields == {
        "From": '"Callgate \\"TEST\\" \\\\" <call@gw.example.org>',
        "To": "ann@x.example",
        "Subject": "[4F7] Calling mom",
        "Date": "Fri, 20 Nov 2026 19:00:00 +0000",
        "Message-ID": "<callgate.obx_1.4F7@gw.example.org>",
        "In-Reply-To": "<second@x.example>",
        "References": "<first@x.example> <second@x.example>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "X-Loop": "call@gw.example.org",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert content.count(b"\n") == content.count(b"\r\n")


def test_a_notice_that_answers_nothing_says_so() -> None:
    """`auto-generated`, without a thread, a ref or a name."""
    message = message_from_bytes(compose(thread="", ref="", from_name=""), policy=default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["In-Reply-To"], message["References"]) == (None, None)
    assert (message["Subject"], message["From"]) == ("Calling mom", "call@gw.example.org")


@pytest.mark.parametrize(
    "text", ["Zoë is rung.\n", "a" * 1_000, "plain\n", "=20 =C3\n", "TEST €5\n"]
)
def test_text_arrives_as_it_was_written(text: str) -> None:
    """Seven bits when they are enough, quoted-printable otherwise, never a long line."""
    content = compose(text=text)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    body = message_from_bytes(content, policy=default).get_content()
    assert body.replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")


FIELDS = ("message_id", "from_address", "to_address", "subject", "ref", "from_name")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("break_", ["\r\nBcc: x@y.example", "\n", "\r", "\0", "\x85", "\u2028"])
def test_no_field_can_begin_another(field: str, break_: str) -> None:
    """A line break or another control character in any field is refused."""
    with pytest.raises(ValueError, match="control character"):
        compose(**{field: f"a{break_}b"})


def test_lengths_are_limited() -> None:
    """At the limit it is sent, one past it is a defect of the caller."""
    compose(text="a" * TEXT_LENGTH_LIMIT)
    with pytest.raises(ValueError, match="longer than"):
        compose(text="a" * (TEXT_LENGTH_LIMIT + 1))
    compose(subject="a" * (998 - len("Subject: [4F7] ")))
    with pytest.raises(ValueError, match="too long"):
        compose(subject="a" * (999 - len("Subject: [4F7] ")))


def test_long_threads_keep_their_end() -> None:
    """The field stays one line: folding would encode the ids and break the thread."""
    ids = [f"{'a' * 93}{n}@x" for n in range(10)]
    references = message_from_bytes(compose(thread=" ".join(ids)), policy=default)["References"]
    assert str(references).split() == [f"<{one}>" for one in ids[1:]]
    assert len(references) < REFERENCES_LENGTH_LIMIT
    only = "b" * (REFERENCES_LENGTH_LIMIT + 10)
    assert message_from_bytes(compose(thread=f"a@x {only}"))["References"] == f"<{only}>"


def test_long_ids_are_not_encoded() -> None:
    """The standard library would fold an id of 100 letters into encoded words."""
    content = compose(
        message_id=f"callgate.{'a' * 100}.4F7@gw.example.org", thread="b" * 100 + "@x"
    )
    assert b"=?" not in content


@pytest.mark.parametrize(
    ("message_id", "parsed"),
    [
        (own_message_id("obx_1", "4F7", "gw.example.org"), OwnMessageId("obx_1", "4F7")),
        (own_message_id("obx_1", "", "gw.example.org"), OwnMessageId("obx_1", "")),
        ("callgate.obx_1.4f7@GW.example.org", OwnMessageId("obx_1", "4F7")),
        ("callgate.obx_1.xyz@gw.example.org", OwnMessageId("obx_1", "")),
        ("callgate.obx_1.4F7@else.example.org", None),
        ("20261120.1@gw.example.org", None),
        ("", None),
    ],
)
def test_our_own_ids_are_known_again(message_id: str, parsed: OwnMessageId | None) -> None:
    """Only with our tag and at a domain of ours."""
    assert parse_own_message_id(message_id, {"gw.example.org"}) == parsed


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=200),
)
def test_what_we_compose_decodes(subject: str, text: str) -> None:
    """Whatever is said, our own reader sees our mail as ours, and a loop."""
    content = compose(subject=subject, text=text.replace("\0", ""))
    decoded = decode_message(
        content,
        envelope_from="ann@x.example",
        envelope_to=(),
        own_addresses=["call@gw.example.org"],
        own_domains=["gw.example.org"],
    )
    assert decoded.automatic is not None
    assert not decoded.automatic.may_launch
    assert decoded.date_ms == DATE_MS
    assert (decoded.from_address, decoded.from_name) == (
        "call@gw.example.org",
        'Callgate "TEST" \\',
    )
    assert decoded.references == ("first@x.example", "second@x.example")
    assert decoded.reply_ref == "4F7"
