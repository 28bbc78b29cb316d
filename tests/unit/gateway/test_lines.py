"""The ways out that the settings name."""

from pathlib import Path

import pytest

from gateway.lines import first_switch, lines_of, orders_file, ports_of, refuse_unknown_kinds
from gateway.settings import Settings
from gateway.settings_file import SettingsError, load_settings

SITES = """
[switches.ny]
ports = 10
[switches.la]
file = "la.json"
[trunks.blue]
switch = "ny"
tariff = "buy-blue"
ports = 4
[trunks.red]
switch = "la"
tariff = "buy-red"
[routing]
currencies = { gbp = "1.27" }
"""


def _settings(folder: Path, text: str) -> Settings:
    file = folder / "callgate.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def test_without_trunks_there_is_nothing_to_choose(tmp_path: Path) -> None:
    """The one switch has the whole file and every port, as before there were several."""
    settings = _settings(tmp_path, "[simulator]\nports = 7\n")
    assert lines_of(settings) is None
    assert first_switch(settings) == "simulator"
    assert ports_of(settings, "simulator") == 7
    assert orders_file(settings, "simulator") == tmp_path / "var" / "simulator.json"
    refuse_unknown_kinds(settings)


def test_switches_and_trunks_are_as_the_settings_say(tmp_path: Path) -> None:
    """Names, ports, tariffs, files, and what a pound is worth."""
    settings = _settings(tmp_path, SITES)
    lines = lines_of(settings)
    assert lines is not None
    assert [(each.name, each.switch, each.ports, each.tariff) for each in lines.trunks] == [
        ("blue", "ny", 4, "buy-blue"),
        ("red", "la", 10_000, "buy-red"),
    ]
    assert [(each.name, each.ports) for each in lines.switches] == [("ny", 10), ("la", 10_000)]
    assert lines.ppm("GBP") == 1_270_000
    assert orders_file(settings, "la") == tmp_path / "la.json"
    assert orders_file(settings, "ny") == tmp_path / "var" / "simulator-ny.json"
    assert first_switch(settings) == "ny"
    assert settings.simulated


def test_one_switch_need_not_be_named_again(tmp_path: Path) -> None:
    """A trunk without a switch belongs to the only one."""
    lines = lines_of(_settings(tmp_path, '[trunks.blue]\ntariff = "t"\n'))
    assert lines is not None
    assert lines.trunks[0].switch == "simulator"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[switches.ny]\n[switches.la]\n", "need .trunks.NAME."),
        ('[trunks.b]\ntariff = "t"\nswitch = "x"\n', "trunks.b.switch is x; the switches are"),
        ('[switches.a]\n[switches.b]\n[trunks.c]\ntariff = "t"\n', "trunks.c.switch is empty"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """The sentence names the setting."""
    with pytest.raises(SettingsError, match=sentence):
        lines_of(_settings(tmp_path, text))


def test_a_kind_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """Nothing is opened then."""
    with pytest.raises(SettingsError, match="There is no switch carrier"):
        refuse_unknown_kinds(_settings(tmp_path, 'switch = "carrier"\n'))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[switches.a]\nkind = 'twilio_voice'\n[switches.b]\nkind = 'twilio_voice'\n", "Only one"),
        (
            "[switches.a]\n[switches.b]\nkind = 'twilio_voice'\n[simulator]\nspeed = 20\n",
            "simulator.speed",
        ),
    ],
)
def test_switches_that_cannot_be_together_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """Twilio tells one place; a real telephone rings in real time."""
    with pytest.raises(SettingsError, match=said):
        refuse_unknown_kinds(_settings(tmp_path, text))


def test_a_real_switch_has_the_ports_of_its_own_section(tmp_path: Path) -> None:
    """Unless it is one of several, which say it themselves."""
    settings = _settings(tmp_path, "switch = 'twilio_voice'\n[twilio_voice]\nports = 9\n")
    refuse_unknown_kinds(settings)
    assert ports_of(settings, "twilio_voice") == 9
