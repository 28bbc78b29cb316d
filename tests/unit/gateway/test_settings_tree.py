"""Walking a settings model by type."""

from dataclasses import dataclass

import pytest
from pydantic import BaseModel, Field, SecretStr

from gateway import settings_tree


@dataclass(frozen=True, slots=True)
class Waiting:
    """A section that is a dataclass.

    Attributes:
        units: how many,
            at most.
        first, second: a pair.
    """

    units: int = 5
    first: int = 1
    second: int | None = None


class Inner(BaseModel):
    """A section."""

    port: int = Field(default=25, description="where")
    password: SecretStr = SecretStr("x")
    names: tuple[str, ...] = ()
    on: bool = True


class Outer(BaseModel):
    """The whole."""

    node: str = "n"
    mail: Inner = Inner()
    more: dict[str, Inner] = {}
    waiting: Waiting = Waiting()


def test_the_list_has_every_key_with_type_default_and_words() -> None:
    """Models and dataclasses alike; a table of sections shows what one holds."""
    rows = {row.key: row for row in settings_tree.describe(Outer)}
    assert (rows["mail.port"].type, rows["mail.port"].default) == ("int", "25")
    assert rows["mail.port"].description == "where"
    assert (rows["mail.password"].type, rows["mail.password"].default) == ("secret", "")
    assert rows["mail.on"].default == "true"
    assert rows["mail.names"].default == "[]"
    assert rows["waiting.units"].description == "how many, at most."
    assert rows["waiting.second"].description == "a pair."
    assert rows["waiting.second"].default == ""
    assert "more.NAME.port" in rows
    assert rows["more"].type == "dict[str, Inner]"


@pytest.mark.parametrize(
    ("data", "unknown"),
    [
        ({"node": "a", "mail": {"port": 1}, "waiting": {"units": 1}}, []),
        ({"nod": "a"}, ["nod"]),
        ({"mail": {"prot": 1}, "x": {"y": 1}}, ["mail.prot", "x"]),
        ({"more": {"a": {"port": 1}, "b": {"q": 1}}}, ["more.b.q"]),
        ({"waiting": {"unit": 1}}, ["waiting.unit"]),
        ({"mail": 3}, []),
    ],
)
def test_unknown_keys_are_found_at_any_depth(data: dict[str, object], unknown: list[str]) -> None:
    """Each is named by its whole path; a wrong type is somebody else's to refuse."""
    assert list(settings_tree.unknown_keys(Outer, data)) == unknown


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("mial", "mail"),
        ("mail.prot", "mail.port"),
        ("port", "mail.port"),
        ("server.units", "waiting.units"),
        ("zzz", None),
    ],
)
def test_the_nearest_key(key: str, meant: str | None) -> None:
    """Misspelt, or right and in the wrong place; nothing is better than nonsense."""
    assert settings_tree.nearest(key, settings_tree.sections_and_keys(Outer)) == meant


def test_secrets_are_known_by_their_type() -> None:
    """Only a secret's own path is one."""
    assert settings_tree.is_secret(Outer, ("mail", "password"))
    assert not settings_tree.is_secret(Outer, ("mail", "port"))
    assert not settings_tree.is_secret(Outer, ("mail", "password", "x"))
    assert not settings_tree.is_secret(Outer, ("nobody",))
    assert settings_tree.is_secret(Outer, ("more", "a", "password"))
    assert not settings_tree.is_secret(Outer, ("more", "a", "port"))
