"""The demo's IMAP session, command by command."""

import pytest

from gateway.demo.imap_folders import INBOX, MAX_MAILS, Folders
from gateway.demo.imap_session import ImapSession

MAIL = b"Message-ID: <1@x>\r\n\r\nhello\r\n"


@pytest.fixture
def folders() -> Folders:
    """An inbox with two mails, and a folder."""
    made = Folders()
    made.create("Done")
    made.append(INBOX, MAIL)
    made.append(INBOX, b"Message-ID: <2@x>\r\n\r\n")
    return made


@pytest.fixture
def session(folders: Folders) -> ImapSession:
    """Signed in, at the inbox."""
    made = ImapSession(folders, "calls", "secret")
    assert made.answer(b"a", [b"login", b"calls", b"secret"]) == [b"a OK Signed in"]
    made.answer(b"a", [b"SELECT", b"inbox"])
    return made


def test_nothing_is_shown_before_the_password(folders: Folders) -> None:
    """A wrong one, or none, is refused; what needs no folder is answered at once."""
    session = ImapSession(folders, "calls", "secret")
    for user, password in ((b"calls", b"Secret"), (b"x", b"secret"), (b"", b"")):
        (line,) = session.answer(b"a", [b"LOGIN", user, password])
        assert line.startswith(b"a NO [AUTHENTICATIONFAILED]")
    assert session.answer(b"b", [b"SELECT", b"INBOX"]) == [b"b NO Sign in first"]
    assert session.answer(b"c", [b"UID", b"SEARCH", b"ALL"]) == [b"c NO Sign in first"]
    assert session.answer(b"d", [b"NOOP"]) == [b"d OK Done"]
    assert not session.may_idle()
    session.answer(b"a", [b"LOGIN", b"calls", b"secret"])
    assert session.answer(b"e", [b"UID", b"SEARCH", b"ALL"]) == [b"e NO Select a folder first"]


def test_a_folder_is_selected(session: ImapSession) -> None:
    """With what RFC 3501 section 6.3.1 asks for."""
    lines = session.answer(b"a", [b"EXAMINE", b"INBOX"])
    assert b"* 2 EXISTS" in lines
    assert b"* OK [UIDVALIDITY 1] UIDs stay" in lines
    assert b"* OK [UIDNEXT 3] The next" in lines
    assert session.may_idle()
    (line,) = session.answer(b"a", [b"SELECT", b"Nowhere"])
    assert line == b"a NO [TRYCREATE] There is no such folder"


def test_folders_are_listed_and_made(session: ImapSession) -> None:
    """Wildcards are folders' only; a name is made once."""
    listed = session.answer(b"a", [b"LIST", b"", b"*"])
    assert listed[:-1] == [b'* LIST () "/" "INBOX"', b'* LIST () "/" "Done"']
    assert session.answer(b"a", [b"LIST", b"", b"[ID]one"]) == [b"a OK Done"]
    assert session.answer(b"a", [b"CREATE", b"Failed"]) == [b"a OK Made"]
    assert session.answer(b"a", [b"CREATE", b"inbox"])[0].startswith(b"a NO [ALREADYEXISTS]")
    for bad in (b"", b"a*", b"\xff", b'a"', b"x" * 101):
        assert session.answer(b"a", [b"CREATE", bad])[0].startswith(b"a NO [CANNOT]")


SEARCHES = (
    ([b"ALL"], b" 1 2"),
    ([b"UNDELETED", b"HEADER", b"Message-ID", b"<2@X>"], b" 2"),
    ([b"(", b"DELETED", b")", b"UID", b"1"], b""),
    ([b"UID", b"2:*,9"], b" 2"),
    ([b"UID", b"9:1"], b" 1 2"),
)


@pytest.mark.parametrize(("words", "found"), SEARCHES)
def test_mails_are_searched(session: ImapSession, words: list[bytes], found: bytes) -> None:
    """Conditions are joined by and."""
    assert session.answer(b"a", [b"UID", b"SEARCH", *words]) == [b"* SEARCH" + found, b"a OK Done"]


ITEMS = (
    (b"RFC822.SIZE", b"RFC822.SIZE 28"),
    (b"FLAGS", b"FLAGS ()"),
    (b"BODY.PEEK[]", b"BODY[] {28}\r\n" + MAIL),
    (b"body[]<2.4>", b"BODY[]<2> {4}\r\nssag"),
    (b"BODY.PEEK[HEADER]<0.999>", b"BODY[HEADER]<0> {21}\r\nMessage-ID: <1@x>\r\n\r\n"),
    (b"UID", b""),
)


@pytest.mark.parametrize(("asked", "item"), ITEMS)
def test_parts_of_mails_are_fetched(session: ImapSession, asked: bytes, item: bytes) -> None:
    """The UID is always said; a mail that is not there is not answered."""
    lines = session.answer(b"a", [b"UID", b"FETCH", b"1,7", b"(", asked, b")"])
    said = b"UID 1 " + item if item else b"UID 1"
    assert lines == [b"* 1 FETCH (" + said + b")", b"a OK Done"]


def test_a_mail_is_moved_and_others_are_told(session: ImapSession, folders: Folders) -> None:
    """By its number among those the client knew of."""
    other = ImapSession(folders, "calls", "secret")
    other.answer(b"a", [b"LOGIN", b"calls", b"secret"])
    other.answer(b"a", [b"SELECT", b"INBOX"])
    assert session.answer(b"a", [b"UID", b"MOVE", b"1", b"Done"]) == [b"* 1 EXPUNGE", b"a OK Moved"]
    assert session.answer(b"a", [b"UID", b"MOVE", b"1", b"Done"]) == [b"a OK Moved"]
    assert session.answer(b"a", [b"UID", b"MOVE", b"2", b"x"])[0].startswith(b"a NO [TRYCREATE]")
    assert session.answer(b"a", [b"APPEND", b"INBOX", b"(", b")", MAIL]) == [
        b"* 2 EXISTS",
        b"a OK Kept",
    ]
    assert other.answer(b"b", [b"NOOP"]) == [b"* 1 EXPUNGE", b"* 2 EXISTS", b"b OK Done"]
    assert other.news() == []


BAD: tuple[list[bytes], ...] = (
    [],
    [b"UID"],
    [b"STORE", b"1"],
    [b"UID", b"EXPUNGE", b"1"],
    [b"NOOP", b"x"],
    [b"LOGIN", b"x"],
    [b"APPEND", b"INBOX"],
    [b"UID", b"FETCH", b"1"],
    [b"UID", b"FETCH", b"1", b"ENVELOPE"],
    [b"UID", b"FETCH", b"one", b"UID"],
    [b"UID", b"SEARCH", b"TEXT", b"x"],
    [b"UID", b"SEARCH", b"HEADER", b"x"],
    [b"UID", b"SEARCH", b"UID"],
)


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_understood_is_bad(session: ImapSession, words: list[bytes]) -> None:
    """And the session goes on."""
    (line,) = session.answer(b"a", words)
    assert line.startswith(b"a BAD ")
    assert not session.over


def test_a_full_mailbox_says_so(session: ImapSession, folders: Folders) -> None:
    """NO with the code for it."""
    for _ in range(MAX_MAILS - 2):
        folders.append(INBOX, b"")
    (line,) = session.answer(b"a", [b"APPEND", b"INBOX", MAIL])
    assert line.startswith(b"a NO [OVERQUOTA]")


def test_goodbye(session: ImapSession) -> None:
    """BYE comes before the answer."""
    assert session.answer(b"a", [b"CAPABILITY"])[0].startswith(b"* CAPABILITY IMAP4rev1")
    assert session.answer(b"z", [b"LOGOUT"]) == [b"* BYE Goodbye", b"z OK Done"]
    assert session.over
