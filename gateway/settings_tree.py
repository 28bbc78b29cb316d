"""Walking the settings model by type: which keys exist, what they mean, which one was meant."""

import dataclasses
import difflib
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

_NEAR = 0.6


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting for people: dotted key, type, default and what it does."""

    key: str
    type: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class _Field:
    annotation: Any
    default: object
    description: str


def describe(model: type[Any], prefix: str = "") -> list[SettingRow]:
    """Return every setting below a model, in the order in which it was written."""
    rows: list[SettingRow] = []
    for name, field in _fields(model).items():
        key = f"{prefix}{name}"
        inner = _plain(field.annotation)
        if _is_section(inner):
            rows += describe(inner, f"{key}.")
        else:
            shown = _type_name(field.annotation)
            rows.append(SettingRow(key, shown, _default(field.default), field.description))
            value = _value_type(inner)
            if value is not None and _is_section(value):
                rows += describe(value, f"{key}.NAME.")
    return rows


def unknown_keys(model: type[Any], data: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the dotted keys of `data` that the model does not have, outermost first."""
    fields = _fields(model)
    for name, value in data.items():
        if name not in fields:
            yield f"{path}{name}"
            continue
        yield from _unknown_below(_plain(fields[name].annotation), value, f"{path}{name}.")


def nearest(key: str, known: list[str]) -> str | None:
    """Return the known dotted key that was most likely meant, None when nothing is near."""
    leaf = key.rpartition(".")[2]
    same_leaf = [candidate for candidate in known if candidate.rpartition(".")[2] == leaf]
    if leaf == key and same_leaf:
        return same_leaf[0]
    for candidates in (same_leaf, known):
        close = difflib.get_close_matches(key, candidates, n=1, cutoff=_NEAR)
        if close:
            return close[0]
    return same_leaf[0] if same_leaf else None


def is_secret(model: type[Any], path: tuple[str, ...]) -> bool:
    """Whether the value at a path must not be repeated in a message."""
    here: Any = model
    for name in path:
        if _value_type(here) is not None:
            here = _plain(_value_type(here))  # `name` is one of the user's own
        elif _is_section(here) and name in _fields(here):
            here = _plain(_fields(here)[name].annotation)
        else:
            return False
    return here is SecretStr


def sections_and_keys(model: type[Any]) -> list[str]:
    """Return all dotted keys and the sections that hold them."""
    keys = [row.key for row in describe(model)]
    sections = {key.rpartition(".")[0] for key in keys if "." in key}
    return [*keys, *sorted(sections)]


def _unknown_below(inner: Any, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401  (a type and a TOML value)
    if not isinstance(value, Mapping):
        return
    if _is_section(inner):
        yield from unknown_keys(inner, value, path)
        return
    item = _value_type(inner)
    if item is not None and _is_section(item):
        for name, part in value.items():
            if isinstance(part, Mapping):
                yield from unknown_keys(item, part, f"{path}{name}.")


def _fields(model: type[Any]) -> dict[str, _Field]:
    """Return the fields of a pydantic model or a dataclass alike."""
    documented = attribute_docs(model)
    if issubclass(model, BaseModel):
        return {
            name: _Field(
                info.annotation,
                info.get_default(call_default_factory=True, validated_data={}),
                info.description or documented.get(name, ""),
            )
            for name, info in model.model_fields.items()
        }
    hints = get_type_hints(model)
    return {
        part.name: _Field(hints[part.name], _dataclass_default(part), documented.get(part.name, ""))
        for part in dataclasses.fields(model)
    }


def attribute_docs(model: type[Any]) -> dict[str, str]:
    """Return what the `Attributes:` part of the docstrings says, base classes included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        text = inspect.cleandoc(owner.__doc__ or "")
        found.update(_attributes(text.partition("Attributes:\n")[2]))
    return found


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            break
        head, colon, rest = line.strip().partition(":")
        if line.startswith("    ") and line[4:5] != " " and colon:
            name = head
            found |= dict.fromkeys((part.strip() for part in head.split(",")), rest.strip())
        elif name and line.strip():
            for part in name.split(","):
                found[part.strip()] += f" {line.strip()}"
    return found


def _dataclass_default(part: "dataclasses.Field[Any]") -> object:
    if part.default_factory is not dataclasses.MISSING:
        return part.default_factory()
    return None if part.default is dataclasses.MISSING else part.default


def _is_section(annotation: Any) -> bool:  # noqa: ANN401  (any annotation)
    return isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)
    )


def _plain(annotation: Any) -> Any:  # noqa: ANN401  (any annotation)
    """Return the annotation without `| None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        if len(parts) == 1:
            return parts[0]
    return annotation


def _value_type(annotation: Any) -> Any:  # noqa: ANN401  (any annotation)
    """Return what a mapping holds, None for anything else."""
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return get_args(annotation)[1]
    return None


def _type_name(annotation: Any) -> str:  # noqa: ANN401  (any annotation)
    if annotation is SecretStr:
        return "secret"
    if get_origin(annotation) is not None:
        text = str(annotation).replace("typing.", "")
        if text.startswith("Literal["):
            return " | ".join(str(value) for value in get_args(annotation))
        return text.rpartition(".")[2] if "[" not in text else _short(text)
    return getattr(annotation, "__name__", str(annotation))


def _short(text: str) -> str:
    """Return `dict[str, gateway.settings.PhoneScript]` as `dict[str, PhoneScript]`."""
    words = text.replace("[", " [ ").replace("]", " ] ").replace(",", " , ").split(" ")
    return "".join(word.rpartition(".")[2] or word for word in words).replace(",", ", ")


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return ""
        case _ if value is PydanticUndefined:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple() | list() | frozenset() | dict():
            return str(list(value)) if value else "[]" if not isinstance(value, dict) else "{}"
        case _:
            return str(value)
