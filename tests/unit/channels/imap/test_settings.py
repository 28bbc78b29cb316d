"""What a mailbox's settings refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from channels.imap.settings import LONGEST_IDLE_S, ImapSettings, MailboxSettings

MAILBOX = {"host": "imap.example.org", "username": "calls", "password": "secret"}


def made(**settings: Any) -> MailboxSettings:  # noqa: ANN401  (settings as in a file)
    """Return a mailbox with these settings."""
    return MailboxSettings.model_validate({**MAILBOX, **settings})


@pytest.mark.parametrize(
    ("tls", "given", "port"),
    [
        ("implicit", 0, 993),
        ("required", 0, 143),
        ("never", 0, 143),
        ("implicit", 1993, 1993),
    ],
)
def test_the_port_follows_from_the_tls(tls: str, given: int, port: int) -> None:
    """Unless it is given."""
    assert made(tls=tls, port=given).server_port == port


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"done_folder": "INBOX"}, "three folders"),
        ({"failed_folder": "Done"}, "three folders"),
        ({"trusted": True}, "only for a server on loopback"),
        ({"trusted": True, "host": "10.0.0.1"}, "only for a server on loopback"),
        ({"verify": True, "authserv_id": "mx.example.org"}, "one of authserv_id, verify"),
        ({"trusted": True, "verify": True, "host": "::1"}, "one of authserv_id, verify"),
        ({"poll_s": LONGEST_IDLE_S + 1}, "less than or equal"),
        ({"folders": "INBOX"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], reason: str) -> None:
    """At the start, in words."""
    with pytest.raises(ValidationError, match=reason):
        made(**settings)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_what_stands_on_the_limit_is_taken(host: str) -> None:
    """Loopback may be trusted; IDLE may last 29 minutes."""
    assert made(host=host, trusted=True, poll_s=LONGEST_IDLE_S).trusted


def test_passwords_are_not_shown() -> None:
    """Neither of one mailbox nor of all."""
    assert "secret" not in repr(ImapSettings.model_validate({"mailboxes": {"main": MAILBOX}}))
