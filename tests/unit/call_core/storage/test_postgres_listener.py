"""LISTEN: what is announced is heard, through lost connections too."""

import queue
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from call_core.storage.changes import ANYTHING
from call_core.storage.postgres import NOTIFY_CHANNEL, open_postgres
from call_core.storage.postgres_listener import PostgresListener

pytestmark = pytest.mark.postgres
PATIENCE_S = 5


@pytest.fixture
def heard(postgres_url: str) -> "Iterator[queue.Queue[str]]":
    """The topics that a running listener has heard."""
    heard: queue.Queue[str] = queue.Queue()
    connect = partial(open_postgres, postgres_url, lock_timeout_ms=1000)
    listener = PostgresListener(connect, NOTIFY_CHANNEL, heard.put)
    listener.start()
    yield heard
    listener.stop()


def notify(url: str, topic: str) -> None:
    """Announce `topic` as another process would."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_notify(%s, %s)", (NOTIFY_CHANNEL, topic))


def test_topics_are_heard_after_a_first_look_at_everything(
    postgres_url: str, heard: "queue.Queue[str]"
) -> None:
    """Whatever was said before the listener was there is covered by `ANYTHING`."""
    assert heard.get(timeout=PATIENCE_S) == ANYTHING
    notify(postgres_url, "call_1")
    assert heard.get(timeout=PATIENCE_S) == "call_1"


def test_a_lost_connection_is_followed_by_a_look_at_everything(
    postgres_url: str, heard: "queue.Queue[str]"
) -> None:
    """What was said meanwhile cannot be known, so everything is looked at."""
    assert heard.get(timeout=PATIENCE_S) == ANYTHING
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'callgate'"
        )
    notify(postgres_url, "lost")
    assert heard.get(timeout=PATIENCE_S) == ANYTHING
    notify(postgres_url, "call_2")
    assert heard.get(timeout=PATIENCE_S) == "call_2"
