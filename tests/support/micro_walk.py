"""Every screen of every micro page, and how large it may be."""

from collections.abc import AsyncIterator

from call_core.outcomes import Asked, Outcome, Phrase, Told
from channels.kit.micro.page import action_text
from parsers import wml
from parsers.small_html import MAX_PAGE_BYTES
from tests.support.micro import AWKWARD, NASTY, Handset
from tests.support.scripted_core import ANNA, PASSWORD, ScriptedCore

MAX_BYTES = {
    "wml": wml.MAX_COMPILED_BYTES,
    "xhtml-mp": MAX_PAGE_BYTES,
    "wap-html": MAX_PAGE_BYTES,
    "palm": MAX_PAGE_BYTES,
    "pocket": MAX_PAGE_BYTES,
}
"""By kind of browser: compiled for WML, as they are for the rest."""

LONG = f"{NASTY} {'x' * 60}"
_ROWS = tuple(
    Phrase("menu_row", {"example": f"{LONG} {number}", "text": LONG}) for number in range(30)
)
_CHOICES = tuple(Phrase("choice_text", {"text": f"{AWKWARD} {number}"}) for number in range(9))


def size_of(text: str) -> int:
    """Return how many bytes of a browser's limit a page takes, as if nothing were shared."""
    return compiled_bound(text) if "<wml>" in text else len(text.encode())


def compiled_bound(text: str) -> int:
    """Return the most bytes of a deck when compiled, counted from its text."""
    import xml.etree.ElementTree as ET  # noqa: PLC0415  (only here)

    from parsers.markup import Element  # noqa: PLC0415  (only here)

    def tree(node: ET.Element) -> Element:
        children: list[Element | str] = [node.text.replace("$$", "$")] if node.text else []
        for child in node:
            children.append(tree(child))
            if child.tail:
                children.append(child.tail.replace("$$", "$"))
        values = {name: value.replace("$$", "$") for name, value in node.attrib.items()}
        return Element(node.tag, values, tuple(children))

    return wml.compiled_bytes(tree(ET.fromstring(text)))  # noqa: S314  (a page of ours)


async def every_screen(handset: Handset) -> AsyncIterator[tuple[str, str]]:
    """Yield (name, text) of every screen: each page, and what `More` leads to from it."""
    core = handset.core
    await handset.open()
    yield "start", handset.answer.text
    for label, typed in (
        ("Sign in", {"u": "<" * 254, "k": "x"}),
        ("Sign in", {"u": ANNA.address, "k": "x"}),
        ("Mail me a code", {"u": NASTY * 20}),
    ):
        await handset.press(label, typed)
        yield f"{label} {typed['u'][:5]}", handset.answer.text
    await handset.enter()
    yield "home", handset.answer.text
    home = handset.screen
    for action, fields in _pages(core):
        handset.screen = home
        _answers(core, action)
        await handset.ask(action, fields)
        number = 0
        yield f"{action} {number}", handset.answer.text
        while "More" in handset.labels():
            number += 1
            await handset.press("More")
            yield f"{action} {number}", handset.answer.text


def _answers(core: ScriptedCore, action: str) -> None:
    answers: dict[str, list[Outcome]] = {
        "say:rows": [Told("menu", rows=_ROWS)],
        "say:choices": [Asked("which_name", "4F7G2", _CHOICES, {"name": AWKWARD})],
    }
    core.answers = answers.get(action, [])


def _pages(core: ScriptedCore) -> list[tuple[str, dict[str, str]]]:
    refs = [view.ref for view in core.views.values()]
    names = [entry.name for entry in core.entries[:4]]
    return [
        ("home", {}),
        (action_text("dir", ""), {}),
        ("dir", {"q": NASTY * 30}),
        *((action_text("name", name), {}) for name in names),
        (action_text("price", names[0]), {}),
        (action_text("ring", names[0], core.own_phones[1].label), {}),
        ("ring", {"to": NASTY * 20}),
        ("dial", {}),
        ("conf", {}),
        ("conf", {"participants": ("mom & bob, " * 23)[:250], "from": NASTY, "at": NASTY}),
        ("conf", {"participants": "<" * 900}),
        ("meet", {"participants": ", ".join(names)}),
        (action_text("calls", ""), {}),
        (action_text("calls", "20"), {}),
        (action_text("call", refs[0]), {}),
        (action_text("call", core.views["call_59"].id), {}),
        (action_text("party", refs[0], "7"), {}),
        ("call:nonsense", {}),
        ("menu", {}),
        *((action_text("verb", word), {}) for word in ("call", "conf", "save", "dial", "x")),
        (action_text("verb", "add", refs[0]), {}),
        ("say:rows", {}),
        ("say:choices", {}),
        ("say", {"text": NASTY * 60}),
        ("say:balance", {}),
        ("code", {"u": ANNA.address}),
        ("app", {"u": ANNA.address, "k": PASSWORD, "participants": NASTY * 30}),
        ("out", {}),
    ]
