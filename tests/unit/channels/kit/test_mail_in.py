"""A decoded mail as a request."""

from call_core.commands import Call, Name
from call_core.requests import Evidence
from channels.kit.mail_in import request_of
from parsers.email_message import MailMessage, decode_message


def mail(*fields: str) -> MailMessage:
    """Decode a small mail from Ann."""
    head = ["From: ann@x.example", *fields]
    return decode_message(
        "\n".join([*head, "", "call mom"]).encode(),
        envelope_from="ann@x.example",
        envelope_to=(),
        own_addresses=(),
        own_domains=(),
    )


def test_the_same_mail_is_the_same_request_on_both_mail_channels() -> None:
    """Id space, external id and fingerprint do not depend on the way it came."""
    one, two = (
        request_of(
            mail("Message-ID: <1@x>"), channel=name, evidence=Evidence.PROVEN, received_wall_ms=5
        )
        for name in ("smtp", "imap")
    )
    assert (one.channel, two.channel) == ("smtp", "imap")
    assert (one.id_space, one.external_id, one.fingerprint) == (
        two.id_space,
        two.external_id,
        two.fingerprint,
    )
    assert one.command == Call(Name("mom"))
    assert (one.sender, one.user_id, one.in_session) == ("ann@x.example", None, False)


def test_a_user_whose_password_was_given_is_the_sender() -> None:
    """The From address says nothing then."""
    request = request_of(
        mail(), channel="smtp", evidence=Evidence.PROVEN, received_wall_ms=5, user_id="usr_1"
    )
    assert (request.sender, request.user_id) == ("", "usr_1")


def test_who_wants_no_answer_gets_none() -> None:
    """No outbox row is written for a sender that suppresses automatic answers."""
    request = request_of(
        mail("X-Auto-Response-Suppress: All"),
        channel="smtp",
        evidence=Evidence.PROVEN,
        received_wall_ms=5,
    )
    assert request.in_session


def test_signatures_are_claimed_against_replay() -> None:
    """Each by its own value, hashed."""
    request = request_of(
        mail("DKIM-Signature: d=x; b=AA", "DKIM-Signature: d=y; b=B B"),
        channel="smtp",
        evidence=Evidence.PROVEN,
        received_wall_ms=5,
    )
    assert len(set(request.replay_ids)) == 2
    assert all(one.startswith("dkim:") for one in request.replay_ids)
