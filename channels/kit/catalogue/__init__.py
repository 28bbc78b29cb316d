"""The words of every outcome and notice: one place, keyed by code and language.

A code has one text for all kinds of content, unless `KIND.CODE` gives one kind its own.
"""

from types import MappingProxyType, ModuleType
from typing import Final

from channels.kit.catalogue import english
from channels.kit.catalogue.model import Text

DEFAULT_LANGUAGE: Final = "en"

LANGUAGES: Final = MappingProxyType({DEFAULT_LANGUAGE: english})
"""Language -> its module, with `TEXTS`, `UNKNOWN`, `WORDS` and the marks."""


def language_module(language: str) -> ModuleType:
    """Return the module of a language, English for one that we do not speak."""
    return LANGUAGES.get(language, english)


def find(kind: str, code: str, language: str = DEFAULT_LANGUAGE) -> Text | None:
    """Return the text of a code, in English where the language lacks it, None for no text."""
    for module in (language_module(language), english):
        texts = module.TEXTS
        found: Text | None = texts.get(f"{kind}.{code}") or texts.get(code)
        if found is not None:
            return found
    return None


def text_of(kind: str, code: str, language: str = DEFAULT_LANGUAGE) -> Text:
    """Return the text of a code; for one without, a general sentence of its kind."""
    found = find(kind, code, language)
    if found is not None:
        return found
    general: Text = language_module(language).UNKNOWN[kind]
    return general
