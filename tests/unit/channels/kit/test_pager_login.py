from typing import cast

import pytest

from call_core.contracts import CallCore
from channels.kit.pager_login import (
    FIRST_DELAY_MS,
    FORGET_AFTER_MS,
    FREE_TRIES,
    LONGEST_DELAY_MS,
    MAX_LOGIN_LENGTH,
    MAX_SECRET_LENGTH,
    MOST_REMEMBERED,
    SECRET_LENGTH,
    Guessing,
    new_pager_secret,
    normal_address,
    principal_of_pager,
    token_text,
)
from tests.support.pagers import PAGER, SECRET, PagerCore
from tests.support.scripted_core import ANNA, CALL_TOKEN


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("(555) 010-0123", "5550100123"),
        (" +1.555.0100 ", "+15550100"),
        ("Anna@Pager.Example", "anna@pager.example"),
        ("a-b", "a-b"),
    ],
)
def test_addresses_are_compared_without_signs(written: str, normal: str) -> None:
    """Digits lose their separators; names keep theirs."""
    assert normal_address(written) == normal


def test_a_secret_belongs_to_one_address_of_one_channel() -> None:
    """And no header of HTTP can carry what is looked up."""
    texts = {
        token_text("snpp", "1", "s"),
        token_text("wctp", "1", "s"),
        token_text("snpp", "2", "s"),
    }
    assert len(texts) == 3
    assert all("\n" in text for text in texts)


def test_secrets_are_fresh_and_fit_old_peers() -> None:
    """Sixteen letters and digits."""
    secrets = {new_pager_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert all(len(secret) == SECRET_LENGTH == 16 and secret.isalnum() for secret in secrets)


def test_who_guesses_waits_longer_and_longer() -> None:
    """Three tries are free, then half a second, doubled up to eight; nobody is locked out."""
    guessing, delays = Guessing(), []
    for _ in range(FREE_TRIES + 6):
        delays.append(guessing.delay_ms("peer", "login", 0))
        guessing.failed("peer", "login", 0)
    assert delays == [0] * FREE_TRIES + [FIRST_DELAY_MS << n for n in range(5)] + [LONGEST_DELAY_MS]
    for peer, login in (("peer", "other"), ("other", "login")):
        assert guessing.delay_ms(peer, login, 0) == LONGEST_DELAY_MS
    assert guessing.delay_ms("other", "other", 0) == 0
    assert guessing.delay_ms("peer", "login", FORGET_AFTER_MS) == LONGEST_DELAY_MS
    assert guessing.delay_ms("peer", "login", FORGET_AFTER_MS + 1) == 0


def test_a_right_secret_forgets_the_wrong_ones() -> None:
    """Typing errors do not add up over the day."""
    guessing = Guessing()
    for _ in range(FREE_TRIES):
        guessing.failed("peer", "login", 0)
    guessing.succeeded("peer", "login")
    assert guessing.delay_ms("peer", "login", 0) == 0


def test_memory_is_bounded() -> None:
    """The oldest peers are forgotten first."""
    guessing = Guessing()
    for number in range(MOST_REMEMBERED // 2 + 1):
        for _ in range(FREE_TRIES):
            guessing.failed(f"peer {number}", f"login {number}", 0)
    assert guessing.delay_ms("peer 0", "login 0", 0) == 0
    assert guessing.delay_ms("peer 1", "login 1", 0) == FIRST_DELAY_MS


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("login", "secret", "known"),
    [
        (PAGER, SECRET, True),
        ("555-1000", SECRET, True),
        (PAGER, "wrong", False),
        (PAGER, "", False),
        ("", SECRET, False),
        ("x" * (MAX_LOGIN_LENGTH + 1), SECRET, False),
        (PAGER, "x" * (MAX_SECRET_LENGTH + 1), False),
        (f"x\n{PAGER}", SECRET, False),
        (PAGER, f"{SECRET}\n", False),
    ],
)
async def test_only_the_right_pair_is_somebody(
    login: str,
    secret: str,
    known: bool,  # noqa: FBT001  (a column)
) -> None:
    """Whatever cannot be a pair is not even looked up."""
    core = cast("CallCore", PagerCore())
    who = await principal_of_pager(core, "snpp", login, secret, 0)
    assert who == (ANNA if known else None)


@pytest.mark.anyio
async def test_an_api_token_is_no_pager_secret() -> None:
    """Nor the other way round."""
    core = cast("CallCore", PagerCore())
    assert await principal_of_pager(core, "snpp", "", CALL_TOKEN, 0) is None
    assert await principal_of_pager(core, "snpp", PAGER, CALL_TOKEN, 0) is None
    assert await core.principal_of_token(SECRET, 0) is None
