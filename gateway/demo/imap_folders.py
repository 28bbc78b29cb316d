"""The mails of the demo's mailbox, in memory: folders, UIDs, and what a search finds."""

import email
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

INBOX = "INBOX"
MAX_FOLDERS = 20
MAX_MAILS = 1_000
"""In all folders together; the oldest of a folder that is not the inbox make room."""


class FullError(Exception):
    """There is no room."""


@dataclass(slots=True)
class Folders:
    """What the mailbox holds.

    Attributes:
        changed: called after every change; whoever waits for mail looks again.
    """

    changed: list[Callable[[], None]] = field(default_factory=list)
    _mails: dict[str, dict[int, bytes]] = field(default_factory=lambda: {INBOX: {}})
    _next_uid: int = 1

    @property
    def next_uid(self) -> int:
        """The UID of the next mail; no two mails ever have the same."""
        return self._next_uid

    def named(self, name: str) -> str:
        """Return the folder of this name, "" when there is none; INBOX in any letters."""
        known = INBOX if name.upper() == INBOX else name
        return known if known in self._mails else ""

    def names(self) -> list[str]:
        """Return the names of all folders."""
        return list(self._mails)

    def create(self, name: str) -> None:
        """Make a folder.

        Raises:
            FullError: there are as many as may be.
        """
        if len(self._mails) >= MAX_FOLDERS:
            raise FullError
        self._mails[name] = {}

    def uids(self, name: str) -> list[int]:
        """Return the UIDs in a folder, oldest first."""
        return list(self._mails[name])

    def mail(self, name: str, uid: int) -> bytes | None:
        """Return a mail as it was put in, None when it is not there (any more)."""
        return self._mails[name].get(uid)

    def append(self, name: str, content: bytes) -> None:
        """Put a mail in.

        Raises:
            FullError: the inbox has all the room.
        """
        if sum(map(len, self._mails.values())) >= MAX_MAILS:
            self._make_room()
        self._put(name, content)
        self._tell()

    def move(self, name: str, uids: Iterable[int], target: str) -> None:
        """Move those of the mails that are there; each gets a UID of its new folder."""
        folder = self._mails[name]
        for uid in uids:
            if uid in folder:
                self._put(target, folder.pop(uid))
        self._tell()

    def with_header(self, name: str, header: str, value: str) -> Iterator[int]:
        """Yield the mails with a header field that has this text in it, in any letters."""
        for uid, content in self._mails[name].items():
            head = email.message_from_bytes(content.partition(b"\r\n\r\n")[0])
            if any(value.lower() in str(each).lower() for each in head.get_all(header, [])):
                yield uid

    def _make_room(self) -> None:
        for name, mails in self._mails.items():
            if name != INBOX and mails:
                del mails[next(iter(mails))]
                return
        raise FullError

    def _put(self, name: str, content: bytes) -> None:
        self._mails[name][self._next_uid] = content
        self._next_uid += 1

    def _tell(self) -> None:
        for each in self.changed:
            each()
