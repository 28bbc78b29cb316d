"""The mails of the demo's mailbox."""

import pytest

from gateway.demo.imap_folders import INBOX, MAX_FOLDERS, MAX_MAILS, Folders, FullError

MAIL = b"From: ann@x.example\r\nMessage-ID: <One@x>\r\n\r\nMessage-ID: <Two@x>\r\n"


def test_a_mail_that_is_moved_gets_a_uid_of_its_new_folder() -> None:
    """No UID is ever given twice; one that is gone is not moved, and whoever waits is told."""
    folders = Folders()
    told: list[int] = []
    folders.changed.append(lambda: told.append(1))
    folders.create("Done")
    folders.append(INBOX, MAIL)
    folders.append(INBOX, b"")
    folders.move(INBOX, [1, 7], "Done")
    assert folders.uids(INBOX) == [2]
    assert folders.uids("Done") == [3]
    assert folders.mail("Done", 3) == MAIL
    assert folders.mail(INBOX, 1) is None
    assert folders.next_uid == 4
    assert len(told) == 3


def test_folders_are_found_by_name() -> None:
    """The inbox in any letters, others as they were made."""
    folders = Folders()
    folders.create("Done")
    assert [folders.named(each) for each in ("inbox", "Done", "done", "")] == [
        INBOX,
        "Done",
        "",
        "",
    ]
    assert folders.names() == [INBOX, "Done"]


def test_fields_of_the_head_are_searched() -> None:
    """What looks like a field in the body is none."""
    folders = Folders()
    folders.append(INBOX, MAIL)
    assert list(folders.with_header(INBOX, "message-id", "one@X")) == [1]
    assert list(folders.with_header(INBOX, "Message-ID", "Two")) == []


def test_there_is_room_for_so_many() -> None:
    """What was handled makes room for new mail; an inbox that nobody reads is full."""
    folders = Folders()
    folders.create("Done")
    for _ in range(MAX_MAILS):
        folders.append(INBOX, b"")
    with pytest.raises(FullError):
        folders.append(INBOX, b"")
    folders.move(INBOX, [1, 2], "Done")
    folders.append(INBOX, b"")
    assert len(folders.uids("Done")) == 1
    for number in range(MAX_FOLDERS - 2):
        folders.create(f"f{number}")
    with pytest.raises(FullError):
        folders.create("one too many")
