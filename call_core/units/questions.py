"""The one open question of a user: stored with what each answer does, answered on any channel."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from call_core import command_json
from call_core.commands import Choose, Command, Confirm
from call_core.outcomes import Asked, Outcome, Phrase, decode_fields, encode_fields
from call_core.requests import Evidence
from call_core.storage import tables
from call_core.storage.statements import Row, select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx
from call_core.units import refs
from call_core.units.caller import Ask, Asker, Choice, Stop
from call_core.units.house import House, Stamp

MOST_CODE_TRIES = 5
"""Wrong codes after which a challenge is closed: a stranger must not guess through them all."""

_Q = tables.questions
FIND = select_statement(
    select(_Q.c.ref, _Q.c.body, _Q.c.expires_wall_ms).where(_Q.c.user_id == bindparam("user_id")),
    name="find_question",
)
PUT = upsert_statement(
    lambda insert_into: (made := insert_into(_Q)).on_conflict_do_update(
        index_elements=["user_id"],
        set_={
            "ref": made.excluded.ref,
            "body": made.excluded.body,
            "expires_wall_ms": made.excluded.expires_wall_ms,
        },
    ),
    name="put_question",
)
LOCK = write_statement(
    # Locks the row on every database, and says whether it is there.
    update(_Q).where(_Q.c.user_id == bindparam("key_user_id")).values(ref=_Q.c.ref),
    name="lock_question",
)
DELETE = write_statement(delete(_Q).where(_Q.c.user_id == bindparam("user_id")), name="answered")


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer does: the command, and the asker with that question confirmed.

    Attributes:
        command: what was confirmed or chosen.
        asker: who answered.
        ref, body, expires_wall_ms: the question as it was stored.
    """

    command: Command
    asker: Asker
    ref: str
    body: str
    expires_wall_ms: int


def put(tx: Tx, house: House, asker: Asker, ask: Ask, stamp: Stamp) -> Outcome:
    """Store a question in place of the one before, and return it as the answer."""
    ref = refs.take(tx, asker, stamp.new_id("ask"), stamp)
    body = {
        "code": ask.code,
        "command": None if ask.command is None else command_json.to_json(ask.command),
        "choices": [
            [
                each.phrase.code,
                encode_fields(each.phrase.fields),
                command_json.to_json(each.command),
            ]
            for each in ask.choices
        ],
        # What only a PROVEN request may confirm stays so when it is asked again.
        "needs_proven": ask.needs_proven or "confirm_from_proven" in asker.confirmed,
        "quoted_micros": ask.quoted_micros,
        "secret": hash_of(ask.secret) if ask.secret else "",
        "confirmed": sorted(asker.confirmed),
        "tries": 0,
    }
    tx.write(
        PUT,
        user_id=asker.user.id,
        ref=ref,
        body=json.dumps(body, separators=(",", ":")),
        expires_wall_ms=stamp.wall_ms + house.limits.question_ttl_s * 1000,
    )
    fields = {"ref": ref, **ask.fields}
    if ask.secret:
        fields["secret"] = ask.secret
    return Asked(ask.code, ref, tuple(each.phrase for each in ask.choices), fields)


def hash_of(secret: str) -> str:
    """Return the form in which a one-time secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def answer(tx: Tx, asker: Asker, given: Confirm | Choose, stamp: Stamp) -> Answered:
    """Return what an answer does; the question is then closed.

    Raises:
        Stop: nothing is open, or the answer does not fit the question.
    """
    row = _locked(tx, asker.user.id)
    if row is None or row[2] < stamp.wall_ms:
        raise Stop("nothing_to_confirm")
    ref, body = row[0], json.loads(row[1])
    if given.ref is not None and given.ref.upper() != ref:
        raise Stop("nothing_to_confirm", ref=given.ref.upper())
    if body["needs_proven"] and asker.evidence is not Evidence.PROVEN:
        raise Stop("unproven", ref=ref)
    command = _chosen(given, ref, body)
    tx.write(DELETE, user_id=asker.user.id)
    confirmed = asker
    for code in (*body["confirmed"], body["code"]):
        confirmed = confirmed.answered(code, ref, body["quoted_micros"])
    return Answered(command, confirmed, ref, row[1], row[2])


def reopen(tx: Tx, asker: Asker, answered: Answered) -> None:
    """Put a question back as it was, because what it asked about was refused."""
    tx.write(
        PUT,
        user_id=asker.user.id,
        ref=answered.ref,
        body=answered.body,
        expires_wall_ms=answered.expires_wall_ms,
    )


def _locked(tx: Tx, user_id: str) -> Row | None:
    """Return the question once nobody else can answer it: of two answers at once, one finds it."""
    if tx.run(LOCK, key_user_id=user_id) != 1:
        return None
    return tx.one(FIND, user_id=user_id)


def _chosen(given: Confirm | Choose, ref: str, body: Any) -> Command:  # noqa: ANN401  (JSON)
    secret = given.code if isinstance(given, Confirm) else ""
    if body["secret"] and hash_of(secret) != body["secret"]:
        raise Stop("wrong_code", ref=ref)
    if isinstance(given, Confirm):
        if body["command"] is None:
            raise Stop("not_a_choice", ref=ref, choices=len(body["choices"]), example="1")
        command: Command = command_json.from_json(body["command"])
        return command
    if not 1 <= given.number <= len(body["choices"]):
        example = "1" if body["choices"] else f"go {ref}"
        raise Stop("not_a_choice", ref=ref, choices=len(body["choices"]), example=example)
    chosen: Command = command_json.from_json(body["choices"][given.number - 1][2])
    return chosen


def open_question(tx: Tx, user_id: str, now_wall_ms: int) -> Asked | None:
    """Return the open question as it was asked, None when there is none."""
    row = tx.one(FIND, user_id=user_id)
    if row is None or row[2] < now_wall_ms:
        return None
    body = json.loads(row[1])
    choices = tuple(Phrase(code, decode_fields(fields)) for code, fields, _ in body["choices"])
    return Asked(body["code"], row[0], choices, {"ref": row[0]})


def code_matches(tx: Tx, user_id: str, given: Confirm, now_wall_ms: int) -> bool:
    """Whether a `go` carries the secret of the open question; a wrong one is counted."""
    row = _locked(tx, user_id) if given.code else None
    if row is None or row[2] < now_wall_ms:
        return False
    ref, body, expires = row[0], json.loads(row[1]), row[2]
    if not body["secret"] or body["secret"] == hash_of(given.code):
        return bool(body["secret"])
    body["tries"] += 1
    if body["tries"] >= MOST_CODE_TRIES:
        tx.write(DELETE, user_id=user_id)
    else:
        text = json.dumps(body, separators=(",", ":"))
        tx.write(PUT, user_id=user_id, ref=ref, body=text, expires_wall_ms=expires)
    return False


__all__ = ["Answered", "Choice", "answer", "code_matches", "hash_of", "open_question", "put"]
