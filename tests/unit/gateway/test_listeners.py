"""Which listeners there are and which must not be opened."""

from pathlib import Path

import pytest

from gateway.listeners import is_loopback, listeners, refusal
from gateway.settings import FILE_NAME, Settings
from gateway.settings_file import load_settings

TRUSTED = '[smtp]\ntrusted_networks = ["127.0.0.0/8"]\n'


def load(tmp_path: Path, text: str) -> Settings:
    """Return the settings of a text."""
    file = tmp_path / FILE_NAME
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def test_http_comes_first_and_disabled_channels_do_not_listen(tmp_path: Path) -> None:
    """Every enabled section with host and port is a listener; the relay of outgoing mail is not."""
    found = list(listeners(load(tmp_path, "")))
    assert (found[0].name, found[0].port, found[0].transport) == ("http", 8080, "tcp")
    names = [each.name for each in found]
    assert "smtp" in names
    assert "mail_out" not in names
    disabled = [each.name for each in listeners(load(tmp_path, "[smtp]\nenabled = false"))]
    assert "smtp" not in disabled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        (TRUSTED, ""),
        ('[http]\nhost = "0.0.0.0"', "simulator.public_listeners = true"),
        ('[smtp]\nhost = "192.0.2.1"', "smtp.host is 192.0.2.1"),
        ('[http]\nhost = "0.0.0.0"\n[simulator]\npublic_listeners = true', ""),
        ('switch = "asterisk_ari"\n[http]\nhost = "0.0.0.0"', ""),
        ('switch = "asterisk_ari"\n' + TRUSTED + 'host = "0.0.0.0"', "smtp.trusted_networks"),
        ('switch = "asterisk_ari"\n' + TRUSTED + '[http]\nhost = "0.0.0.0"', ""),
    ],
)
def test_a_simulator_and_a_trusting_listener_stay_on_loopback(
    tmp_path: Path, text: str, words: str
) -> None:
    """The simulator leaves loopback only when told, a listener that trusts senders never."""
    sentence = refusal(load(tmp_path, text))
    assert words in sentence
    assert bool(sentence) == bool(words)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  (asked about, not bound)
        ("::", False),
        ("192.0.2.1", False),
        ("calls.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:  # noqa: FBT001  (a column of the table)
    """Only what nobody else can reach counts as loopback."""
    assert is_loopback(host) is loopback
