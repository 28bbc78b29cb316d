"""One client's session with the demo's mailbox, without sockets: a command in, lines out.

IMAP4rev1 (RFC 3501) as far as a program that takes mails out of a mailbox needs it, with IDLE (RFC
2177) and MOVE (RFC 6851). There are no flags, and mails are named by UID only.

    C: a1 LOGIN calls secret            S: a1 OK Signed in
    C: a2 SELECT INBOX                  S: * 1 EXISTS … a2 OK [READ-WRITE] Selected
    C: a3 UID FETCH 7 (BODY.PEEK[])     S: * 1 FETCH (UID 7 BODY[] {120} … ) a3 OK Done
"""

import fnmatch
import hmac
import re
from collections.abc import Callable, Sequence

from gateway.demo.imap_folders import Folders, FullError

CAPABILITIES = b"IMAP4rev1 IDLE MOVE"
MAX_UIDS_NAMED = 1_000
"""In one set, so that `1:4294967295` is no list of as many numbers."""
_UID_VALIDITY = 1

_BODY = re.compile(
    rb"BODY(?:\.PEEK)?\[(?P<part>|HEADER)\](?:<(?P<from>\d{1,9})\.(?P<most>\d{1,9})>)?"
)
_Answer = tuple[list[bytes], bytes]
_Command = Callable[[list[bytes]], _Answer]


class BadCommandError(Exception):
    """The command cannot be understood; the message is one line."""


class RefusedCommandError(Exception):
    """The command is understood and not done; the message is one line."""


class ImapSession:
    """The state of one connection.

    Attributes:
        over: it has said goodbye.
    """

    def __init__(self, folders: Folders, user: str, password: str) -> None:
        self._folders = folders
        self._user, self._password = user.encode(), password.encode()
        self._signed_in = False
        self._selected = ""
        self._told: list[int] = []
        self._anybody: dict[str, _Command] = {
            "CAPABILITY": self._capability,
            "NOOP": self._noop,
            "LOGOUT": self._logout,
            "LOGIN": self._login,
        }
        self._signed: dict[str, _Command] = {
            "LIST": self._list,
            "CREATE": self._create,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "APPEND": self._append,
        }
        self._at_a_folder: dict[str, _Command] = {
            "UID SEARCH": self._search,
            "UID FETCH": self._fetch,
            "UID MOVE": self._move,
        }
        self.over = False

    def answer(self, tag: bytes, words: Sequence[bytes]) -> list[bytes]:
        """Return the lines that answer a command, the tagged one last; each without its CRLF.

        Args:
            tag: as the client chose it.
            words: the command and its arguments; parentheses are words, literals and quoted strings
                are without their marks.
        """
        try:
            lines, text = self._done([*words])
        except BadCommandError as error:
            return [tag + b" BAD " + str(error).encode()]
        except RefusedCommandError as error:
            return [tag + b" NO " + str(error).encode()]
        except FullError:
            return [tag + b" NO [OVERQUOTA] There is no room"]
        return [*lines, *self.news(), tag + b" OK " + text]

    def news(self) -> list[bytes]:
        """Return what the client has not been told of the selected folder."""
        if not self._selected:
            return []
        now = self._folders.uids(self._selected)
        lines = []
        for uid in [each for each in self._told if each not in now]:
            lines.append(b"* %d EXPUNGE" % (self._told.index(uid) + 1))
            self._told.remove(uid)
        if now != self._told:
            self._told = now
            lines.append(b"* %d EXISTS" % len(now))
        return lines

    def may_idle(self) -> bool:
        """Whether there is a folder to wait at."""
        return bool(self._selected)

    def _done(self, words: list[bytes]) -> _Answer:
        name = words.pop(0).upper().decode("ascii", "replace") if words else ""
        if name == "UID" and words:
            name = f"UID {words.pop(0).upper().decode('ascii', 'replace')}"
        if command := self._anybody.get(name):
            return command(words)
        command = self._signed.get(name) or self._at_a_folder.get(name)
        if command is None:
            raise BadCommandError("This mailbox does not know the command")
        if not self._signed_in:
            raise RefusedCommandError("Sign in first")
        if name in self._at_a_folder and not self._selected:
            raise RefusedCommandError("Select a folder first")
        return command(words)

    def _capability(self, words: list[bytes]) -> _Answer:
        _need(words, 0)
        return [b"* CAPABILITY " + CAPABILITIES], b"Done"

    def _noop(self, words: list[bytes]) -> _Answer:
        _need(words, 0)
        return [], b"Done"

    def _logout(self, words: list[bytes]) -> _Answer:
        _need(words, 0)
        self.over = True
        self._selected = ""
        return [b"* BYE Goodbye"], b"Done"

    def _login(self, words: list[bytes]) -> _Answer:
        user, password = _need(words, 2)
        right = hmac.compare_digest(user, self._user)
        if not (hmac.compare_digest(password, self._password) and right):
            raise RefusedCommandError("[AUTHENTICATIONFAILED] Wrong name or password")
        self._signed_in = True
        return [], b"Signed in"

    def _list(self, words: list[bytes]) -> _Answer:
        directory, pattern = (each.decode("ascii", "replace") for each in _need(words, 2))
        asked = (directory + pattern).replace("%", "*").replace("[", "[[]")
        found = (each for each in self._folders.names() if fnmatch.fnmatchcase(each, asked))
        return [b'* LIST () "/" ' + _quoted(each) for each in found], b"Done"

    def _create(self, words: list[bytes]) -> _Answer:
        name = _need(words, 1)[0].decode("ascii", "replace")
        if not re.fullmatch(r"[!-~ ]{1,100}", name) or re.search(r'[*%"\\]', name):
            raise RefusedCommandError("[CANNOT] A folder cannot be called that")
        if self._folders.named(name):
            raise RefusedCommandError("[ALREADYEXISTS] There is such a folder")
        self._folders.create(name)
        return [], b"Made"

    def _select(self, words: list[bytes]) -> _Answer:
        self._selected = self._folder(_need(words, 1)[0])
        self._told = self._folders.uids(self._selected)
        lines = [
            b"* FLAGS ()",
            b"* OK [PERMANENTFLAGS ()] There are none",
            b"* %d EXISTS" % len(self._told),
            b"* 0 RECENT",
            b"* OK [UIDVALIDITY %d] UIDs stay" % _UID_VALIDITY,
            b"* OK [UIDNEXT %d] The next" % self._folders.next_uid,
        ]
        return lines, b"[READ-WRITE] Selected"

    def _append(self, words: list[bytes]) -> _Answer:
        # FOLDER (FLAGS) "DATE" MAIL: flags and date are not kept.
        if len(words) < 2:  # noqa: PLR2004  (folder and mail)
            raise BadCommandError("A folder and a mail are wanted")
        self._folders.append(self._folder(words[0]), words[-1])
        return [], b"Kept"

    def _search(self, words: list[bytes]) -> _Answer:
        found = set(self._folders.uids(self._selected))
        while words:
            found &= self._matching(words.pop(0).upper(), words)
        uids = b"".join(b" %d" % uid for uid in sorted(found))
        return [b"* SEARCH" + uids], b"Done"

    def _matching(self, key: bytes, words: list[bytes]) -> set[int]:
        match key:
            case b"ALL" | b"UNDELETED" | b"(" | b")":
                return set(self._folders.uids(self._selected))
            case b"DELETED":
                return set()
            case b"UID" if words:
                return set(self._named(words.pop(0)))
            case b"HEADER" if len(words) > 1:
                header, value = (words.pop(0).decode("utf-8", "replace") for _ in range(2))
                return set(self._folders.with_header(self._selected, header, value))
            case _:
                raise BadCommandError("This mailbox cannot search for that")

    def _fetch(self, words: list[bytes]) -> _Answer:
        if len(words) < 2:  # noqa: PLR2004  (which mails, and what of them)
            raise BadCommandError("UIDs and what is wanted of them")
        asked = [each.upper() for each in words[1:] if each not in {b"(", b")"}]
        lines = []
        for uid in self._named(words[0]):
            content = self._folders.mail(self._selected, uid)
            if content is None or uid not in self._told:
                continue
            items = [b"UID %d" % uid, *(_item(each, content) for each in asked if each != b"UID")]
            number = self._told.index(uid) + 1
            lines.append(b"* %d FETCH (" % number + b" ".join(items) + b")")
        return lines, b"Done"

    def _move(self, words: list[bytes]) -> _Answer:
        named, target = _need(words, 2)
        self._folders.move(self._selected, self._named(named), self._folder(target))
        return [], b"Moved"

    def _folder(self, name: bytes) -> str:
        found = self._folders.named(name.decode("ascii", "replace"))
        if not found:
            raise RefusedCommandError("[TRYCREATE] There is no such folder")
        return found

    def _named(self, written: bytes) -> list[int]:
        """Return the UIDs of a set like `3,5:7,9:*` that are in the folder."""
        present = self._folders.uids(self._selected)
        last = present[-1] if present else 0
        ranges = [_range(each, last) for each in written.split(b",")[:MAX_UIDS_NAMED]]
        return [uid for uid in present if any(low <= uid <= high for low, high in ranges)]


def _need(words: Sequence[bytes], count: int) -> Sequence[bytes]:
    if len(words) != count:
        raise BadCommandError(f"{count} arguments are wanted")
    return words


def _range(written: bytes, last: int) -> tuple[int, int]:
    """Return the bounds of `7`, `5:7`, `7:5` or `9:*`, where `*` is the last that is there."""
    ends = [last if each == b"*" else _number(each) for each in written.split(b":")]
    return min(ends), max(ends)


def _number(written: bytes) -> int:
    if not re.fullmatch(rb"\d{1,10}", written):
        raise BadCommandError("UIDs are numbers")
    return int(written)


def _item(asked: bytes, content: bytes) -> bytes:
    """Return a part of a mail with its name, as FETCH answers it."""
    if asked == b"FLAGS":
        return b"FLAGS ()"
    if asked == b"RFC822.SIZE":
        return b"RFC822.SIZE %d" % len(content)
    body = _BODY.fullmatch(asked)
    if body is None:
        raise BadCommandError("This mailbox cannot fetch that")
    head, blank, _ = content.partition(b"\r\n\r\n")
    part = head + blank if body["part"] else content
    name = b"BODY[" + body["part"] + b"]"
    if body["most"]:
        start = int(body["from"])
        part, name = part[start : start + int(body["most"])], name + b"<%d>" % start
    return name + b" {%d}\r\n" % len(part) + part


def _quoted(name: str) -> bytes:
    return b'"' + name.encode() + b'"'
