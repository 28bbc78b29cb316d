"""What a form says: the button, the fields, the limits, and the charsets of old browsers."""

import pytest
from fastapi import Request

from channels.kit.micro.visit import (
    MAX_FIELD_CHARS,
    MAX_FORM_BYTES,
    MAX_FORM_FIELDS,
    Visit,
    read_form,
    visit_of,
)


def posted(body: bytes) -> Request:
    """Return a POST with this body."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"to=+mom+&from=", {"to": "mom", "from": ""}),
        (b"p=mom&p=bob&p=", {"p": "mom;bob;"}),
        (b"p=&p=bob", {"p": "bob"}),
        ("to=Łucja".encode(), {"to": "Łucja"}),
        (b"to=%C5%81ucja", {"to": "Łucja"}),
        (b"to=Jos%E9", {"to": "José"}),
        (b"to=Jos\xe9", {"to": "José"}),
        (b"to=a%00b%1b%0d%0ac", {"to": "a b  \nc"}),
        (b"x=" + b"y" * MAX_FIELD_CHARS, {"x": "y" * MAX_FIELD_CHARS}),
        (b"x=" + b"y" * (MAX_FIELD_CHARS + 1), None),
        (b"&".join([b"x=1"] * (MAX_FORM_FIELDS + 1)), None),
        (b"&" * MAX_FORM_BYTES, None),
        (b"x=1&" * 2 + b"z" * (MAX_FORM_BYTES + 1), None),
    ],
)
async def test_forms_are_read_within_limits(body: bytes, fields: dict[str, str] | None) -> None:
    """Equal names are joined, controls are blanks, what is no UTF-8 is Latin-1."""
    assert await read_form(posted(body)) == fields


@pytest.mark.anyio
async def test_a_form_has_a_limit() -> None:
    """At the limit it is read, one byte past it is not."""
    fields = [f"{name}={'y' * 996}" for name in "abcdefgh"]
    body = "&".join(fields).encode()
    body += b"&i=" + b"y" * (MAX_FORM_BYTES - len(body) - 3)
    assert len(body) == MAX_FORM_BYTES
    assert len(await read_form(posted(body)) or {}) == 9
    assert await read_form(posted(body + b"y")) is None


@pytest.mark.parametrize(
    "button", [{"b": "8!name:mom:x"}, {"b:8!name:mom:x": "mom"}, {"b": "", "b:8!name:mom:x": "1"}]
)
def test_the_button_is_a_value_or_a_name(button: dict[str, str]) -> None:
    """WML sends it as a value, HTML as the name of what was pressed."""
    visit = visit_of({**button, "s": "seal", "to": "mom"}, 7)
    assert visit == Visit(7, "name", ("mom", "x"), 8, {"to": "mom"}, "seal")
    assert [visit.argument(number) for number in range(3)] == ["mom", "x", ""]
    assert (visit.field("to"), visit.field("from")) == ("mom", "")


def test_a_form_without_a_button_asks_for_no_page() -> None:
    """It is answered with the first page."""
    assert visit_of({}, 7) == Visit(7)
