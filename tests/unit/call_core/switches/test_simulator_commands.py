from typing import get_args

from call_core.switches.simulator_commands import Command


def test_every_command_begins_with_its_instant() -> None:
    """The file and the arithmetic rely on it: the first field says when."""
    for kind in get_args(Command):
        assert next(iter(kind.__dataclass_fields__)) == "at_call_ms"
