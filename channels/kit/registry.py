"""Which channels there are: every module of `channels` that has a `channel` attribute."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

import channels
from channels.kit.contract import Channel

_NOT_A_CHANNEL = frozenset({"kit"})


@cache
def channel_classes() -> Mapping[str, type[Channel]]:
    """Return the channel classes by name, in alphabetical order.

    Raises:
        TypeError: a module of `channels` has no `channel` class, or one with another name.
    """
    found: dict[str, type[Channel]] = {}
    for info in pkgutil.iter_modules(channels.__path__):
        if info.name in _NOT_A_CHANNEL:
            continue
        made = getattr(importlib.import_module(f"channels.{info.name}"), "channel", None)
        if not (isinstance(made, type) and issubclass(made, Channel) and made.name == info.name):
            raise TypeError(f"channels/{info.name} must set `channel` to a Channel named so")
        found[info.name] = made
    return dict(sorted(found.items()))
