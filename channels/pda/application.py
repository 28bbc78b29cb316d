"""The conference application of an organizer: a page that is downloaded once and lives there.

Palm's Query Application Builder makes a `.pqa` of it; any other browser can keep it as a file. Its
form takes name, secret, people, and which of the user's telephones is rung first; what comes back
asks once more, with the user's own telephones, and carries the one-time state. So the form itself,
which never changes, launches nothing.

    <form action="https://calls.example/pda" method="post"><input type="hidden" …>
    From <select name="from"><option value="">usual phone</option><option value="office">…
"""

from typing import Final

from channels.kit.micro.html import BUTTON_PREFIX
from channels.kit.micro.page import action_text
from parsers.markup import Element, Node, element, write_html

MAX_APPLICATION_BYTES: Final = 1400
FILE_NAME: Final = "callgate.html"
REVISION: Final = "1.0"
_BREAK: Final = element("br")
_PHONES: Final = ("office", "home", "cell", "hotel")


def application(base_url: str, path: str) -> str:
    """Return the page; `base_url` is ours, because the page is opened from the device itself."""
    form = element(
        "form",
        {"action": f"{base_url.rstrip('/')}{path}", "method": "post"},
        *_field("Name", "u"),
        *_field("Code", "k", "password"),
        *_field("With", "participants"),
        *_field("When", "at"),
        "From ",
        _phones(),
        _BREAK,
        element(
            "input",
            {
                "type": "submit",
                "name": f"{BUTTON_PREFIX}{action_text('app')}",
                "value": "Conference",
            },
        ),
    )
    body = element(
        "body",
        {"bgcolor": "#FFFFFF", "text": "#000000"},
        element("b", None, "Conference call"),
        form,
        "Your phone rings first. With: names or numbers, a comma between them.",
    )
    return write_html(element("html", None, _head(), body))


def _head() -> Element:
    return element(
        "head",
        None,
        element("title", None, "Callgate"),
        element("meta", {"name": "PalmComputingPlatform", "content": "true"}),
        element("meta", {"name": "PalmLauncherRevision", "content": REVISION}),
    )


def _field(label: str, name: str, kind: str | None = None) -> tuple[Node, ...]:
    return (f"{label} ", element("input", {"type": kind, "name": name, "size": "18"}), _BREAK)


def _phones() -> Element:
    options = (element("option", {"value": label}, label) for label in _PHONES)
    return element("select", {"name": "from"}, element("option", {"value": ""}, "usual"), *options)
