"""How commands end."""

import json

import pytest

from call_core.errors import Overloaded, StoreUnavailable
from gateway.cli.common import (
    CONFIGURATION,
    DATABASE,
    FAILED,
    USAGE,
    CliError,
    answer,
    command,
    note,
    run_async,
)
from gateway.http_listener import ListenError
from gateway.settings_file import SettingsError


def ending(error: BaseException, **kwargs: object) -> int:
    """Return the exit status of a command that raises."""

    @command
    def failing(**_: object) -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        failing(**kwargs)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CliError("no"), FAILED),
        (CliError("no", USAGE), USAGE),
        (SettingsError("no"), CONFIGURATION),
        (ListenError("no"), CONFIGURATION),
        (PermissionError(13, "Permission denied", "var"), FAILED),
        (StoreUnavailable("no"), DATABASE),
        (Overloaded(), DATABASE),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_known_error_has_its_exit_status(error: BaseException, status: int) -> None:
    """0 done, 1 refused or failed, 2 usage, 3 settings, 4 database, 130 interrupted."""
    assert ending(error) == status


def test_an_error_is_one_sentence_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing goes to standard output, and there is no traceback."""
    ending(CliError("There is no user Bob."))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "callgate: There is no user Bob.\n")


def test_with_json_the_error_is_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads what a person reads, and the code."""
    ending(CliError("There is no user Bob.", code="no_user"), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"ok": False, "error": "There is no user Bob.", "code": "no_user"}
    assert err.startswith("callgate: ")


def test_a_defect_is_not_hidden() -> None:
    """What nobody expected keeps its traceback."""

    @command
    def broken() -> None:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError):
        broken()


def test_a_result_is_words_or_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    """The same result for a person and for a program."""
    answer({"ok": True, "name": "Zoë"}, "Zoë was added.", as_json=False)
    answer({"ok": True, "name": "Zoë"}, "Zoë was added.", as_json=True)
    words, data = capsys.readouterr().out.splitlines()
    assert words == "Zoë was added."
    assert json.loads(data) == {"ok": True, "name": "Zoë"}


def test_work_is_run_to_its_end() -> None:
    """A coroutine's result comes back."""

    async def work() -> int:
        return 7

    assert run_async(work) == 7


def test_nothing_from_outside_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a caller's words are shown, in results, notes, and errors alike."""
    hostile = "Ada\x1b[2J\r\x9b31m\u202e"
    answer({}, hostile, as_json=False)
    answer({"name": hostile}, "", as_json=True)
    note(hostile)
    ending(CliError(hostile), as_json=True)
    out, err = capsys.readouterr()
    assert all(line.isprintable() for line in (*out.splitlines(), *err.splitlines()))
    assert json.loads(out.splitlines()[1]) == {"name": hostile}
