"""A new channel is one file: dropped in, it is configured, served and compared like the others."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
TOY = '''"""A toy: one line of text in the body of a POST, the user's token in a header."""

import secrets
from collections.abc import Sequence
from typing import Annotated

import httpx2
from fastapi import APIRouter, Body, Header

from call_core.requests import Evidence, Request
from channels.kit.contract import Channel, Identity
from channels.kit.render import render
from parsers.grammar import parse


class ToyChannel(Channel):
    """Answers in the response."""

    name = "toy"
    id_space = "toy"
    about = "One line in a POST."

    def routers(self) -> Sequence[APIRouter]:
        router = APIRouter()

        @router.post("/toy")
        async def take(
            text: Annotated[str, Body(media_type="text/plain")],
            token: Annotated[str, Header()],
            key: Annotated[str, Header()],
        ) -> str:
            now = self.environment.wall.now_ms()
            who = await self.core.principal_of_token(token, now)
            assert who is not None
            outcome = await self.core.handle(
                Request(
                    channel=self.name,
                    id_space=self.id_space,
                    external_id=key,
                    sender="",
                    evidence=Evidence.PROVEN,
                    received_wall_ms=now,
                    command=parse(text),
                    text=text,
                    user_id=who.user_id,
                    in_session=True,
                )
            )
            return render(outcome)

        return [router]

    async def probe(self, identity: Identity, text: str) -> str:
        headers = {"token": identity.token, "key": secrets.token_hex(8)}
        async with httpx2.AsyncClient(base_url=self.environment.public_url) as client:
            answer = await client.post("/toy", json=text, headers=headers)
        answer.raise_for_status()
        return answer.text


channel = ToyChannel
'''


def test_a_channel_dropped_in_as_one_file_is_compared(tmp_path: Path) -> None:
    """No other file is edited, and the toy's bill equals all others."""
    for package in ("gateway", "channels", "parsers", "call_core"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    (tmp_path / "channels" / "toy.py").write_text(TOY.replace('media_type="text/plain"', ""))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLGATE_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "demo", "--once", "--json", "--folder", "demo"],
        cwd=tmp_path,
        env=kept | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    bills = {each["channel"]: each for each in json.loads(done.stdout.splitlines()[-1])["bills"]}
    assert not bills["toy"]["skipped"]
    assert bills["toy"]["total"] == bills["web"]["total"]
