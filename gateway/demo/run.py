"""`callgate demo`: everything on this machine, one call by every channel, then it stays up.

It lives in a folder of its own and makes its database anew at every start, so that it can be
played with and thrown away; no setting and no variable of the real service reaches it.
"""

import asyncio
import contextlib
import fcntl
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from call_core.ids import new_secret
from channels.kit.registry import channel_classes
from gateway.clocks import WallClock
from gateway.demo.bills import Compared, compare
from gateway.demo.imap_server import ImapServer
from gateway.demo.phone_wall import ManyPhones, PhoneWall
from gateway.demo.report import all_equal
from gateway.demo.set_up import Settled, set_up
from gateway.demo.world import (
    IMAP,
    free_port,
    mailbox_settings,
    people,
    phone_labels,
    settings_text,
)
from gateway.listeners import listeners
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running, stop_on_signals
from gateway.settings import FILE_NAME, Settings
from gateway.settings_file import load_settings
from gateway.wiring import Core

DEFAULT_FOLDER = Path("var/demo")
MOST_DEMOS = 20
"""At once in folders beside the usual one."""
OWNER_ONLY = 0o600
_MARK = ".callgate-demo"

Report = Callable[[Running, Settled, Sequence[Compared]], None]


class NotADemoError(Exception):
    """The folder holds something else; the message is a sentence."""


async def run(folder: Path | None, report: Report, *, once: bool) -> bool:
    """Run the demo.

    Args:
        folder: where it lives; what an earlier demo left there is removed. None is the usual one,
            or one beside it while another demo runs there.
        report: told what came of the calls.
        once: end after the report instead of staying up until a signal.

    Returns:
        Whether every bill was equal.

    Raises:
        NotADemoError: the folder is not empty and not an earlier demo's, or another demo runs
            there.
    """
    with claimed(folder) as own:
        mailbox = Mailbox(WallClock())
        password = new_secret(random.SystemRandom())
        imap = ImapServer(password)
        try:
            relay_port = await mailbox.start()
            await imap.start(port=free_port(IMAP))
            settings = make_settings(own, relay_port, mailbox_settings(imap.port, password))
            stop = asyncio.Event()
            with stop_on_signals(stop):
                return await _run(settings, mailbox, stop, report, once=once)
        finally:
            await imap.stop()
            await mailbox.stop()


@contextlib.contextmanager
def claimed(folder: Path | None) -> Iterator[Path]:
    """Have a folder of our own within the context; the lock is gone with the process.

    Raises:
        NotADemoError: the folder is somebody else's.
    """
    names = [f"{DEFAULT_FOLDER.name}-{n}" for n in range(2, MOST_DEMOS + 1)]
    usual = [DEFAULT_FOLDER, *map(DEFAULT_FOLDER.with_name, names)]
    for each in usual if folder is None else [folder]:
        _refuse_foreign(each)
        each.mkdir(parents=True, exist_ok=True)
        with (each / _MARK).open("a") as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield each
            return
    where = folder or DEFAULT_FOLDER
    raise NotADemoError(f"Another demo runs in {where}; stop it, or name another with --folder.")


async def _run(
    settings: Settings, mailbox: Mailbox, stop: asyncio.Event, report: Report, *, once: bool
) -> bool:
    everybody = people(
        {
            name: made.id_space
            for name, made in channel_classes().items()
            if settings.channel(name).enabled
        }
    )
    labels = phone_labels(everybody)

    def extras(core: Core) -> dict[str, object]:
        phones = ManyPhones(list(core.simulators.values()))
        return {"mailbox": mailbox, "phones": PhoneWall(phones, labels)}

    options = Options(create=True, test_texts=False, core_extras=extras)
    async with running(settings, stop, options) as service:
        ada, *callers = await set_up(service.core, everybody)
        compared = await compare(service, callers)
        report(service, ada, compared)
        if not once:
            await stop.wait()
    return all_equal(compared)


def make_settings(
    folder: Path, relay_port: int, imap_mailbox: Mapping[str, object] | None = None
) -> Settings:
    """Write the demo's settings into an emptied folder and read them back.

    Args:
        folder: where they are written.
        relay_port: of the mailbox that takes what is sent.
        imap_mailbox: settings of the mailbox that is read, if there is one.
    """
    _empty(folder)
    file = folder / FILE_NAME
    found = list(listeners(load_settings(_blank(folder), {})))
    secret = new_secret(random.SystemRandom())
    text = settings_text(channel_classes(), found, relay_port, secret, imap_mailbox)
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def _blank(folder: Path) -> Path:
    """Make an empty file, so that the defaults are seen and no other file is."""
    file = folder / FILE_NAME
    file.touch(OWNER_ONLY)
    return file


def _empty(folder: Path) -> None:
    """Remove what an earlier demo left; refuse a folder that is somebody else's.

    The mark stays: whoever runs a demo here holds a lock on it.
    """
    _refuse_foreign(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        elif each.name != _MARK:
            each.unlink()
    (folder / _MARK).touch()


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise NotADemoError(
            f"{folder} is not empty and not an earlier demo's; name another with --folder."
        )
