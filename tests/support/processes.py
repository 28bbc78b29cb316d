"""What other processes on this machine are doing."""

from pathlib import Path


def works_in(folder: Path) -> bool:
    """Whether a process that still runs has this folder as its own."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if (process / "cwd").readlink() == folder.resolve():
                    return True
            except OSError:
                continue
    return False
