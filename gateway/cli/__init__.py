"""`callgate`: the command line.

Exit statuses: 0 done, 1 refused or failed, 2 wrong usage, 3 settings, 4 database.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the entry point of the installed program."""
    from gateway.cli.root import app

    app(args=None if arguments is None else list(arguments), prog_name="callgate")
    sys.exit(0)
