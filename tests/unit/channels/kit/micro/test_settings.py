"""The key of the sessions: set and shared, or made at the start."""

import random

import pytest
from pydantic import SecretStr, ValidationError

from channels.kit.micro.settings import MIN_KEY_LENGTH, MicroSettings
from channels.kit.page_tokens import TokenState

NOW_MS = 1_790_000_000_000
RNG = random.SystemRandom()


@pytest.mark.parametrize(
    ("key", "state"), [("k" * MIN_KEY_LENGTH, TokenState.VALID), (None, TokenState.FORGED)]
)
def test_processes_with_the_same_key_share_sessions(key: str | None, state: TokenState) -> None:
    """Without a key of the deployment a state ends with its process."""
    settings = MicroSettings(session_key=SecretStr(key)) if key else MicroSettings()
    made = settings.sessions("wap", RNG).issue("session", NOW_MS)
    assert settings.sessions("wap", RNG).open(made, NOW_MS).state is state


def test_a_key_has_a_least_length() -> None:
    """One letter short of it is refused, and the refusal does not show it."""
    with pytest.raises(ValidationError) as caught:
        MicroSettings(session_key=SecretStr("k" * (MIN_KEY_LENGTH - 1)))
    assert "kkk" not in str(caught.value)
