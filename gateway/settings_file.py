"""Reading the settings: the file, then the environment, checked key by key.

A setting that does not exist stops the start with a sentence that names the file or the variable,
the key, the nearest right one and what to do; a service that ignores a mistyped limit is worse
than one that does not start.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource
from pydantic_settings import SettingsError as SourceError

from gateway import settings_tree
from gateway.settings import (
    DELIMITER,
    FILE_NAME,
    PREFIX,
    RESERVED_PREFIX,
    Settings,
    settings_model,
)
from gateway.settings_tree import SettingRow

MAX_FILE_BYTES = 4_194_304
_KUBERNETES = ("SERVICE_", "PORT")


class SettingsError(Exception):
    """The settings cannot be used; the message is one sentence for the operator."""


def load_settings(
    file: Path | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings of a file, an environment and overrides, the later stronger.

    Args:
        file: the file that was asked for; None takes `callgate.toml` of the working directory
            when it is there, and the defaults when not.
        environment: variables by name, such as `os.environ`.
        overrides: a tree as the file has it, from the command line.

    Raises:
        SettingsError: a file that cannot be read, a key that does not exist, a wrong value.
    """
    path = file or Path(FILE_NAME)
    data = _read(path) if file is not None or path.is_file() else {}
    model = settings_model()
    _refuse_unknown_keys(model, data, path)
    ours = _our_variables(model, environment)
    merged = _merge(data, _environment_tree(model, ours), overrides or {})
    try:
        made = model.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(_sentence(error, model, path, ours)) from error
    used = path.resolve() if data or path.is_file() else None
    return made.placed(path.parent if used else Path.cwd(), used)


def describe_settings() -> list[SettingRow]:
    """Return every setting with type, default and description, channels' sections included."""
    return settings_tree.describe(settings_model())


def variable_of(key: str) -> str:
    """Return the environment variable of a dotted key: `smtp.port` is `CALLGATE_SMTP__PORT`."""
    return PREFIX + key.upper().replace(".", DELIMITER)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SettingsError(
                f"{path} is larger than {MAX_FILE_BYTES} bytes; is it the right file?"
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} does not exist; name another file with --config, or run `callgate init`."
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error


def _refuse_unknown_keys(model: type[Settings], data: Mapping[str, Any], path: Path) -> None:
    for key in settings_tree.unknown_keys(model, data):
        known = settings_tree.sections_and_keys(model)
        meant = settings_tree.nearest(key, known)
        hint = (
            f'did you mean "{meant}"?'
            if meant
            else "`callgate doctor --settings` lists what there is."
        )
        raise SettingsError(f'{path}: there is no setting "{key}"; {hint} Rename or remove it.')


def _our_variables(model: type[Settings], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are ours, by name; refuse those that name no setting."""
    ours = {
        name: value
        for name, value in environment.items()
        if name.startswith(PREFIX) and not name.startswith(RESERVED_PREFIX)
    }
    for name in ours:
        key = name.removeprefix(PREFIX).lower().replace(DELIMITER, ".")
        if any(settings_tree.unknown_keys(model, _nest(key))):
            raise SettingsError(_unknown_variable(name, key, model))
    return ours


def _unknown_variable(name: str, key: str, model: type[Settings]) -> str:
    rest = name.removeprefix(PREFIX)
    if rest.startswith(_KUBERNETES) and DELIMITER not in rest:
        return (
            f"The environment variable {name} is not a setting; if Kubernetes made it for a "
            "service named callgate, set enableServiceLinks to false or rename the service."
        )
    meant = settings_tree.nearest(key, settings_tree.sections_and_keys(model))
    hint = (
        f"did you mean {variable_of(meant)}?"
        if meant
        else "`callgate doctor --settings` lists all."
    )
    return f"The environment variable {name} names no setting; {hint} Rename or unset it."


def _nest(key: str) -> dict[str, Any]:
    tree: Any = ""
    for part in reversed(key.split(".")):
        tree = {part: tree}
    made: dict[str, Any] = tree
    return made


def _environment_tree(model: type[Settings], ours: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(model, env_prefix=PREFIX, env_nested_delimiter=DELIMITER)
    source.env_vars = {name.lower(): value for name, value in ours.items()}
    try:
        return source()
    except SourceError as error:
        names = ", ".join(sorted(ours))
        raise SettingsError(
            f"One of {names} is not valid JSON, which lists and tables need: {error}."
        ) from error


def _merge(*trees: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for tree in trees:
        for name, value in tree.items():
            old = merged.get(name)
            both = isinstance(old, Mapping) and isinstance(value, Mapping)
            merged[name] = _merge(old or {}, value) if both else value
    return merged


def _sentence(
    error: ValidationError, model: type[Settings], path: Path, ours: Iterable[str]
) -> str:
    """Return the first complaint as a sentence; secrets are never repeated."""
    first = error.errors(include_url=False)[0]
    where = tuple(str(part) for part in first["loc"])
    key = ".".join(where)
    variable = variable_of(key)
    origin = f"The environment variable {variable}" if variable in ours else f'{path}: "{key}"'
    # A whole table may hold secrets that were right.
    hidden = isinstance(first["input"], Mapping) or settings_tree.is_secret(model, where)
    shown = "" if hidden else f" (it is {first['input']!r})"
    return (
        f"{origin} has a wrong value{shown}: {_lower(first['msg'])}; "
        "`callgate doctor --settings` lists what is allowed."
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
