"""Reading the settings: file, environment, and a sentence for everything that is wrong."""

from pathlib import Path

import pytest

from gateway.settings import FILE_NAME
from gateway.settings_file import (
    MAX_FILE_BYTES,
    SettingsError,
    describe_settings,
    load_settings,
    variable_of,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file to be written."""
    return tmp_path / FILE_NAME


def read(file: Path, text: str, **environment: str) -> str:
    """Return "" when the settings can be used, else the sentence."""
    file.write_text(text, encoding="utf-8")
    try:
        load_settings(file, environment)
    except SettingsError as error:
        return str(error)
    return ""


def test_defaults_are_those_that_are_documented(file: Path) -> None:
    """An empty file gives the documented listeners, database and switch."""
    file.write_text("", encoding="utf-8")
    settings = load_settings(file, {})
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.database.url == "sqlite:///var/callgate.db"
    assert settings.switch == "simulator"


def test_the_environment_is_stronger_than_the_file_and_overrides_than_both(file: Path) -> None:
    """File, environment, command line: the later wins, key by key."""
    file.write_text('node = "a"\n[http]\nport = 1\nhost = "::1"', encoding="utf-8")
    settings = load_settings(
        file, {"CALLGATE_HTTP__PORT": "2", "CALLGATE_NODE": "b"}, {"node": "c"}
    )
    assert (settings.node, settings.http.port, settings.http.host) == ("c", 2, "::1")


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("[htpp]\nport = 1", "htpp", "http"),
        ("[http]\nprot = 1", "http.prot", "http.port"),
        ("port = 1", "port", "http.port"),
        ('[simulator.phones."+1"]\nrings = 1', "simulator.phones.+1.rings", "ring_s"),
        ("[simulator.faults]\ndrp = 1", "simulator.faults.drp", "simulator.faults.drop"),
        ("[limits]\nrepeat_window = 1", "limits.repeat_window", "limits.repeat_window_s"),
        ("[store]\nmax_waiting = 1", "store.max_waiting", "store.max_waiting_units"),
    ],
)
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(
    file: Path, text: str, key: str, meant: str
) -> None:
    """The sentence names file, key, the nearest right one, and what to do."""
    sentence = read(file, text)
    assert str(file) in sentence
    assert f'"{key}"' in sentence
    assert meant in sentence.partition("did you mean")[2]
    assert "Rename or remove it." in sentence


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("CALLGATE_HTPP__PORT", "CALLGATE_HTTP__PORT"),
        ("CALLGATE_DATABASE_URL", "CALLGATE_DATABASE__URL"),
        ("CALLGATE_HTTP__PROT", "CALLGATE_HTTP__PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_one_that_was_meant(
    file: Path, variable: str, meant: str
) -> None:
    """A variable of ours that names no setting stops the start."""
    sentence = read(file, "", **{variable: "1"})
    assert variable in sentence
    assert f"did you mean {meant}?" in sentence


def test_variables_of_the_tests_and_of_others_are_let_alone(file: Path) -> None:
    """CALLGATE_TEST_ is reserved, and other programs' variables are theirs."""
    assert read(file, "", CALLGATE_TEST_REQUIRE="all", PATH="/bin") == ""


def test_a_variable_that_kubernetes_made_is_explained(file: Path) -> None:
    """A service named callgate puts variables of our prefix into every container."""
    sentence = read(file, "", CALLGATE_PORT="tcp://10.0.0.1:80")
    assert "enableServiceLinks" in sentence


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("[http]\nport = 'x'", {}, ['"http.port"', "'x'", "integer"]),
        ("", {"CALLGATE_HTTP__PORT": "x"}, ["CALLGATE_HTTP__PORT", "'x'"]),
        ("[logs]\nformat = 'xml'", {}, ['"logs.format"', "'json'"]),
        ("http = 3", {}, ['"http"']),
        ("[http]\nport = 65536", {}, ['"http.port"', "65536"]),
        ("[limits]\ndaily_spend = 'a'", {}, ['"limits.daily_spend"']),
        ("[http", {}, ["not valid TOML"]),
        ("", {"CALLGATE_SIMULATOR__PHONES": "{x"}, ["CALLGATE_SIMULATOR__PHONES", "JSON"]),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(
    file: Path, text: str, environment: dict[str, str], words: list[str]
) -> None:
    """Where, what it is, and what would be right."""
    sentence = read(file, text, **environment)
    assert "\n" not in sentence
    assert [word for word in words if word not in sentence] == []


def test_a_wrong_secret_is_not_repeated(file: Path) -> None:
    """The message about a password that cannot be used does not hold it."""
    sentence = read(file, "[mail_out]\npassword = 8675309")
    assert '"mail_out.password"' in sentence
    assert "8675309" not in sentence


def test_a_table_that_is_refused_as_a_whole_does_not_show_its_secrets(file: Path) -> None:
    """A password that was right stands in the same table as the key that is missing."""
    sentence = read(file, '[imap.mailboxes.main]\nusername = "u"\npassword = "8675309"')
    assert '"imap.mailboxes.main.host"' in sentence
    assert "8675309" not in sentence


def test_lists_and_tables_come_as_json_from_the_environment(file: Path) -> None:
    """A variable can hold a whole list."""
    file.write_text("", encoding="utf-8")
    settings = load_settings(file, {"CALLGATE_NUMBERS__OWN": '["+12125550100"]'})
    assert settings.numbers.own == ("+12125550100",)


def test_paths_are_relative_to_the_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the program is started, database and files lie beside the settings."""
    monkeypatch.chdir("/")
    file.write_text('[simulator]\nfile = "legs.json"', encoding="utf-8")
    settings = load_settings(file, {})
    assert settings.simulator.file == tmp_path / "legs.json"
    assert settings.database_file() == tmp_path / "var" / "callgate.db"
    assert settings.database_url() == f"sqlite:///{tmp_path}/var/callgate.db"


def test_without_a_file_the_working_directory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No callgate.toml is no error; one that was asked for and is missing is."""
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, {})
    assert (settings.file, settings.folder) == (None, tmp_path)
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "other.toml", {})


def test_the_file_has_a_size_limit(file: Path) -> None:
    """At the limit it is read, one byte past it it is refused."""
    file.write_text("#" * MAX_FILE_BYTES, encoding="utf-8")
    assert load_settings(file, {}).file == file
    file.write_text("#" * (MAX_FILE_BYTES + 1), encoding="utf-8")
    with pytest.raises(SettingsError, match="larger than"):
        load_settings(file, {})


def test_every_setting_says_what_it_is_for() -> None:
    """The list for people has a type and a description for every key."""
    rows = describe_settings()
    keys = [row.key for row in rows]
    assert {"http.port", "database.url", "limits.repeat_window_s", "simulator.speed"} <= set(keys)
    assert len(keys) == len(set(keys))
    assert [row.key for row in rows if not row.type] == []


def test_a_key_names_its_variable() -> None:
    """Two underscores stand between levels."""
    assert variable_of("smtp.port") == "CALLGATE_SMTP__PORT"
