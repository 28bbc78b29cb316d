"""Templates and static files: read once, at the start.

Everything that a page shows is escaped unless it is a template of ours; a name that a template
asks for and does not get is an error, not an empty place.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from call_core.money import format_money
from call_core.numbering import format_for_people
from channels.kit.wording import plain_words
from channels.web import formatting

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file that pages load; `digest` is of its content and part of its address."""

    content: bytes
    media_type: str
    digest: str


def static_files() -> Mapping[str, StaticFile]:
    """Return every static file by its name."""
    found: dict[str, StaticFile] = {}
    for path in sorted((_HERE / "static").iterdir()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:8]
        found[path.name] = StaticFile(content, _MEDIA_TYPES[path.suffix], digest)
    return found


def make_templates(static: Mapping[str, StaticFile]) -> jinja2.Environment:
    """Return the templates, with the filters and addresses that they use."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["formatting"] = formatting
    templates.globals["static"] = {
        name: f"/static/{name}?{file.digest}" for name, file in static.items()
    }
    templates.filters["duration"] = formatting.duration
    templates.filters["machine"] = formatting.machine_instant
    templates.filters["money"] = format_money
    templates.filters["telephone"] = format_for_people
    templates.filters["plain"] = plain_words
    return templates
