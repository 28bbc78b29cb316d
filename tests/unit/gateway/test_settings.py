"""The composed settings model."""

from pathlib import Path

import pytest

from call_core.customers.limits import DEFAULT_LIMITS
from channels.kit.registry import channel_classes
from gateway.settings import FILE_NAME, Settings, settings_model
from gateway.settings_file import load_settings


def load(tmp_path: Path, text: str) -> Settings:
    """Return the settings of a text."""
    file = tmp_path / FILE_NAME
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def test_every_channel_has_its_own_section(tmp_path: Path) -> None:
    """A channel's Settings class is its section, without a line about it here."""
    settings = load(tmp_path, "")
    for name, made in channel_classes().items():
        assert isinstance(settings.channel(name), made.Settings)
        assert name in settings_model().model_fields


def test_limits_come_as_the_core_wants_them(tmp_path: Path) -> None:
    """Money is written as an amount and handed over in micros; the rest is as it was."""
    assert load(tmp_path, "").call_limits() == DEFAULT_LIMITS
    changed = load(tmp_path, "[limits]\ndaily_spend = 12.5\nrepeat_window_s = 30").call_limits()
    assert (changed.daily_spend_micros, changed.repeat_window_s) == (12_500_000, 30)


@pytest.mark.parametrize(
    ("text", "port", "url"),
    [
        ("", None, "http://127.0.0.1:8080"),
        ("", 9999, "http://127.0.0.1:9999"),
        ('[http]\nhost = "0.0.0.0"', None, "http://127.0.0.1:8080"),
        ('[http]\nhost = "::1"', None, "http://[::1]:8080"),
        ('public_url = "https://c.example/"', 9999, "https://c.example"),
    ],
)
def test_the_base_of_links(tmp_path: Path, text: str, port: int | None, url: str) -> None:
    """Links carry the public address where one is set, else what is listened on."""
    assert load(tmp_path, text).base_url(port) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://cg:hunter2@db:5432/calls", "postgresql://cg:***@db:5432/calls"),
        ("postgresql://cg:p@ss@db/calls", "postgresql://cg:***@db/calls"),
        ("postgresql://db/calls", "postgresql://db/calls"),
    ],
)
def test_a_database_is_shown_without_its_password(tmp_path: Path, url: str, shown: str) -> None:
    """What is printed at the start holds no secret; a server has no file."""
    settings = load(tmp_path, f'[database]\nurl = "{url}"')
    assert settings.shown_database() == shown
    assert settings.database_file() is None
    assert settings.database_url() == url


def test_secrets_do_not_show_in_the_settings(tmp_path: Path) -> None:
    """Printing the settings prints no password."""
    assert "hunter2" not in repr(load(tmp_path, '[mail_out]\npassword = "hunter2"'))


@pytest.mark.parametrize(
    ("text", "many"),
    [
        ('switch = "asterisk"', True),
        ('switch = "twilio_voice"', False),
        ('switch = "simulator"', False),
        ('[switches.ny]\nsocket = "ny.sock"\n[switches.la]\nkind = "asterisk"', True),
        ('[switches.ny]\n[switches.la]\nkind = "asterisk"', False),
    ],
)
def test_many_nodes_need_switches_that_stand_outside(
    tmp_path: Path,
    text: str,
    many: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """Every one of them must be shared; and SQLite is one node's, whatever the switches are."""
    file = tmp_path / "callgate.toml"
    file.write_text(text, encoding="utf-8")
    database = {"CALLGATE_DATABASE__URL": "postgresql:///calls"}
    assert load_settings(file, database).many_nodes is many
    assert not load_settings(file, {}).many_nodes
