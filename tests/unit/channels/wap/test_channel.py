"""The channel as it is mounted: addresses, languages, limits; every page within its size."""

import random

import pytest
from pydantic import ValidationError

from call_core.commands import Call, Name
from channels.wap import channel
from tests.support.micro import (
    DEVICES,
    LONG_NAME,
    Handset,
    awkward_core,
    handset_before,
    plain_core,
)
from tests.support.micro_walk import MAX_BYTES, every_screen, size_of

pytestmark = pytest.mark.anyio
TYPES = {
    "wml": "text/vnd.wap.wml; charset=utf-8",
    "xhtml-mp": "application/vnd.wap.xhtml+xml; charset=utf-8",
    "wap-html": "text/html; charset=utf-8",
    "palm": "text/html; charset=utf-8",
    "pocket": "text/html; charset=utf-8",
}


def test_what_the_registry_knows() -> None:
    """Name, id space and features are those of the matrix."""
    assert (channel.name, channel.id_space) == ("wap", "wap")
    assert {"launch", "conference", "control"} <= channel.features


@pytest.mark.parametrize("limit", [1099, 8001])
def test_the_size_of_decks_has_limits(limit: int) -> None:
    """Below, a form would not fit; above, no telephone would."""
    with pytest.raises(ValidationError):
        channel.Settings(max_deck_bytes=limit)
    assert channel.Settings(max_deck_bytes=1100).max_deck_bytes == 1100
    assert channel.Settings(max_deck_bytes=8000).max_deck_bytes == 8000


@pytest.mark.parametrize("kind", list(DEVICES))
async def test_each_browser_gets_its_language(kind: str) -> None:
    """With its charset, at the address and below it."""
    async with handset_before(plain_core(), kind) as handset:
        for path in ("", "/", "/index.wml"):
            handset.path = f"{DEVICES[kind].path}{path}"
            await handset.open()
            assert handset.answer.status_code == 200
            assert handset.answer.headers["content-type"] == TYPES[kind]


@pytest.mark.parametrize("kind", list(DEVICES))
async def test_every_page_is_small_enough(kind: str) -> None:
    """With the longest and most hostile names there may be, on every screen of every page."""
    async with handset_before(awkward_core(), kind) as handset:
        sizes = {name: size_of(text) async for name, text in every_screen(handset)}
    assert len(sizes) > 60
    assert {name: size for name, size in sizes.items() if size > MAX_BYTES[kind]} == {}


@pytest.mark.parametrize("kind", list(DEVICES))
async def test_names_come_back_from_every_page(kind: str) -> None:
    """From the directory to the command: the name that was shown is the name that is called."""
    core = awkward_core()
    names = random.Random(3).sample([entry.name for entry in core.entries], 6)  # noqa: S311  (repeatable)
    names += [core.entries[0].name, LONG_NAME]
    async with handset_before(core, kind) as handset:
        await handset.enter()
        for name in names:
            await _call(handset, name)
    assert [request.command for request in core.asked] == [Call(Name(name)) for name in names]


async def _call(handset: Handset, name: str) -> None:
    await handset.ask("home")
    await handset.press("Directory")
    label = "".join(letter if letter.isprintable() else " " for letter in name)
    while label not in handset.labels():
        await handset.press("More")
    await handset.press(label)
    await handset.press("Call")
