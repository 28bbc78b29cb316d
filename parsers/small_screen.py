"""Reading what the small pages say: words, fields, and what can be pressed. WML and HTML alike.

The counterpart of `parsers.wml` and `parsers.small_html`, for clients that walk the pages as a
person would. It reads what these two write and similar pages; it is no browser.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from call_core.errors import ParseError
from parsers.small_tags import Tag, pieces

MAX_SCREEN_CHARS = 16_384

_BREAKS = frozenset({"br", "p", "hr", "tr", "td", "form", "select"})
_VARIABLE = re.compile(r"\$\((\w+)\)")
_Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Press:
    """A link or a button.

    Attributes:
        label: what it says.
        href: where it leads.
        fields: what it sends by POST; None for a plain link.
        typed: fields that it sends with what was typed: name of the field to name of the input.
    """

    label: str
    href: str
    fields: Mapping[str, str] | None = None
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Screen:
    """What a page shows.

    Attributes:
        words: all text but that of links and buttons, one line each.
        inputs: what stands in each field beforehand, by name.
        options: what can be chosen, (value, label), by name of the field.
    """

    title: str = ""
    words: list[str] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All words, lines separated by newlines."""
        return "\n".join(self.words)

    def press(self, label: str) -> Press:
        """Return the first link or button that says `label`.

        Raises:
            ParseError: `no_such_press`, there is none.
        """
        for each in self.presses:
            if each.label == label:
                return each
        raise ParseError("no_such_press", label=label, there=[each.label for each in self.presses])

    def sent(self, press: Press, typed: Mapping[str, str]) -> dict[str, str]:
        """Return what pressing sends when `typed` stands in the fields of that name."""
        shown = {**self.inputs, **typed}
        told = {name: shown.get(source, "") for name, source in press.typed.items()}
        return {**(press.fields or {}), **told}


def read_screen(text: str) -> Screen:
    """Read a page.

    Raises:
        ParseError: `screen_too_long`, it or a reference in it.
    """
    if len(text) > MAX_SCREEN_CHARS:
        raise ParseError("screen_too_long", limit=MAX_SCREEN_CHARS)
    reader = _WmlReader() if "<wml" in text else _HtmlReader()
    for piece in pieces(text):
        reader.take(piece)
    reader.end_line()
    return reader.screen


class _Reader:
    """What both have: lines of words, inputs, options."""

    def __init__(self) -> None:
        self.screen = Screen()
        self._line: list[str] = []
        self._label: list[str] | None = None
        self._select = ""
        self._value = ""

    def take(self, piece: Tag | str) -> None:
        """Read on."""
        if isinstance(piece, str):
            (self._line if self._label is None else self._label).append(self.said(piece))
            return
        if piece.opens:
            self._begin(piece.name, piece.attributes)
        if piece.closes:
            self._end(piece.name)

    def _begin(self, tag: str, written: _Attributes) -> None:
        attributes = {name: self.said(value) for name, value in written.items()}
        if tag in _BREAKS:
            self.end_line()
        if tag == "select":
            self._select = attributes.get("name", "")
            self.screen.options[self._select] = []
            self.screen.inputs.setdefault(self._select, "")
        if tag == "option":
            self._begin_option(attributes)
        if tag in {"a", "option", "title", "anchor"}:
            self._label = []
        self.begin(tag, attributes, written)

    def _begin_option(self, attributes: _Attributes) -> None:
        self._value = attributes.get("value", "")
        if "selected" in attributes:
            self.screen.inputs[self._select] = self._value

    def _end(self, tag: str) -> None:
        self.end(tag)
        if tag == "option":
            choices = self.screen.options.setdefault(self._select, [])
            choices.append((self._value, self.taken()))
        if tag in _BREAKS:
            self.end_line()

    def begin(self, tag: str, attributes: _Attributes, written: _Attributes) -> None:
        """Note what only this kind of page has; `written` is without what `said` did."""

    def end(self, tag: str) -> None:
        """Note the end of what only this kind of page has."""

    def said(self, text: str) -> str:
        """Return what a text of the page stands for."""
        return text

    def taken(self) -> str:
        """Return the label that was collected and collect no more."""
        label, self._label = "".join(self._label or []), None
        return label

    def end_line(self) -> None:
        """Keep the words so far as a line."""
        line, self._line = "".join(self._line).strip(), []
        if line:
            self.screen.words.append(line)


class _WmlReader(_Reader):
    def __init__(self) -> None:
        super().__init__()
        self._href = ""
        self._fields: dict[str, str] | None = None
        self._typed: dict[str, str] = {}

    def said(self, text: str) -> str:
        return text.replace("$$", "$")

    def _postfield(self, attributes: _Attributes) -> None:
        name, value = attributes.get("name", ""), attributes.get("value", "")
        variable = _VARIABLE.fullmatch(value)
        if variable and not value.startswith("$$"):
            self._typed[name] = variable[1]
        elif self._fields is not None:
            self._fields[name] = self.said(value)

    def begin(self, tag: str, attributes: _Attributes, written: _Attributes) -> None:
        match tag:
            case "postfield":
                self._postfield(written)
            case "card":
                self.screen.title = attributes.get("title", "")
            case "input":
                self.screen.inputs.setdefault(attributes.get("name", ""), "")
            case "setvar":
                self.screen.inputs[attributes.get("name", "")] = attributes.get("value", "")
            case "a" | "go":
                self._href = attributes.get("href", "")
                self._fields = {} if attributes.get("method") == "post" else None
            case _:
                pass

    def end(self, tag: str) -> None:
        if tag in {"a", "anchor"}:
            press = Press(self.taken(), self._href, self._fields, self._typed)
            self.screen.presses.append(press)
            self._fields, self._typed = None, {}


class _HtmlReader(_Reader):
    def __init__(self) -> None:
        super().__init__()
        self._href = ""
        self._action = ""
        self._hidden: dict[str, str] = {}
        self._names: list[str] = []
        self._buttons: list[tuple[str, str]] = []

    def begin(self, tag: str, attributes: _Attributes, written: _Attributes) -> None:
        del written
        match tag:
            case "form":
                self._action = attributes.get("action", "")
            case "a":
                self._href = attributes.get("href", "")
            case "select":
                self._names.append(self._select)
            case "input":
                self._input(attributes)
            case _:
                pass

    def _input(self, attributes: _Attributes) -> None:
        name, value = attributes.get("name", ""), attributes.get("value", "")
        match attributes.get("type", "text"):
            case "hidden":
                self._hidden[name] = value
            case "submit":
                self._buttons.append((name, value))
            case "checkbox":
                self.screen.options.setdefault(name, []).append((value, value))
                self._named(name, "")
            case _:
                self._named(name, value)

    def _named(self, name: str, value: str) -> None:
        if name not in self._names:
            self._names.append(name)
            self.screen.inputs[name] = value

    def end(self, tag: str) -> None:
        match tag:
            case "title":
                self.screen.title = self.taken()
            case "a":
                self.screen.presses.append(Press(self.taken(), self._href))
            case "form":
                self._end_form()
            case _:
                pass

    def _end_form(self) -> None:
        for name, value in self._buttons:
            fields = {**self._hidden, name: value}
            typed = {each: each for each in self._names}
            self.screen.presses.append(Press(value, self._action, fields, typed))
        self._hidden, self._names, self._buttons = {}, [], []
