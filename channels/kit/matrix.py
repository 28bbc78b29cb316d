"""The feature matrix: which channel can do what, as a table for the READMEs."""

from collections.abc import Mapping

from channels.kit.contract import Channel
from channels.kit.registry import channel_classes

# What a channel may have, in the order of the columns. Any other word is refused, so that one
# feature does not get two names.
FEATURES = (
    "launch",
    "conference",
    "control",
    "schedule",
    "directory",
    "receipts",
    "live status",
)
_YES = "yes"


def feature_matrix(classes: Mapping[str, type[Channel]] | None = None) -> str:
    """Return a Markdown table with one row per channel, in alphabetical order.

    Args:
        classes: channel classes by name; those of the registry unless given.

    Raises:
        ValueError: a channel says that it has a feature that is not one of `FEATURES`.
    """
    found = channel_classes() if classes is None else classes
    heading = ("Channel", "What it is", *FEATURES)
    lines = [heading, ("---",) * len(heading)]
    lines += [_row(name, made) for name, made in sorted(found.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, made: type[Channel]) -> tuple[str, ...]:
    unknown = made.features - set(FEATURES)
    if unknown:
        raise ValueError(f"channel {name}: {min(unknown)!r} is not one of {', '.join(FEATURES)}")
    marks = (_YES if feature in made.features else "" for feature in FEATURES)
    return (f"`{name}`", made.about, *marks)
