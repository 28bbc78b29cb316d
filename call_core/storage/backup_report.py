"""What a backup holds, and why there is none."""

from dataclasses import dataclass
from pathlib import Path

from call_core.errors import CallCoreError


class BackupError(CallCoreError):
    """A backup cannot be made, is damaged, or would overwrite something."""

    code = "backup_failed"
    retryable = False


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds, as it was read back from the finished file.

    Attributes:
        path: the file.
        revision: revision of the schema.
        rows: number of rows by table.
    """

    path: Path
    revision: str
    rows: dict[str, int]
