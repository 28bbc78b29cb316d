"""Templates and static files."""

import re

import pytest

from channels.web.templating import make_templates, static_files

TEMPLATES = make_templates(static_files())


@pytest.mark.parametrize("name", TEMPLATES.list_templates())
def test_no_template_has_script_or_style_within(name: str) -> None:
    """The content security policy lets only our own files in, so nothing may stand in the page."""
    assert TEMPLATES.loader is not None
    source = TEMPLATES.loader.get_source(TEMPLATES, name)[0]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)|javascript:|//", source)
    assert "| safe" not in source


@pytest.mark.parametrize("name", TEMPLATES.list_templates())
def test_every_posted_form_has_its_token(name: str) -> None:
    """A form without a token would be refused by our own door."""
    assert TEMPLATES.loader is not None
    source = TEMPLATES.loader.get_source(TEMPLATES, name)[0]
    posts = re.findall(r'<form method="post"[^>]*>(?:{{ m\.token\(\) }}|{{ token\(\) }})?', source)
    assert all("token()" in form for form in posts)


@pytest.mark.parametrize("name", TEMPLATES.list_templates())
def test_every_field_has_a_label(name: str) -> None:
    """Whoever hears the page instead of seeing it knows what each field is."""
    assert TEMPLATES.loader is not None
    source = TEMPLATES.loader.get_source(TEMPLATES, name)[0]
    labels = set(re.findall(r'<label for="([^"]+)"', source))
    fields = re.findall(r"<(?:input|select|textarea)(?! type=.(?:hidden|checkbox))[^>]*", source)
    for field in fields:
        found = re.search(r'id="([^"]+)"', field)
        assert found, field
        assert found[1] in labels


def test_what_people_wrote_is_escaped() -> None:
    """A name with marks in it stays a name."""
    assert TEMPLATES.from_string("{{ name }}").render(name="<b>") == "&lt;b&gt;"


def test_static_addresses_change_with_their_content() -> None:
    """A browser may keep a file for ever, since another content has another address."""
    files = static_files()
    assert set(files) == {"callgate.css", "callgate.js", "callgate.svg"}
    assert len({file.digest for file in files.values()}) == len(files)
