"""How pagers log in: a generated secret of their own, and a slow-down for whoever guesses.

SNPP and WCTP carry a login and a short code, both in the clear on most lines. The secret is kept
like an API token, by its hash; what is hashed is channel, address and secret joined by line breaks.
So a secret belongs to one address of one channel, and one that was overheard on a pager line is no
API token: no Authorization header can carry a line break.
"""

import hashlib
import random
from collections import OrderedDict
from dataclasses import dataclass

from call_core.contracts import CallCore, Principal
from call_core.ids import new_secret

PAGER_CHANNELS = frozenset({"snpp", "wctp"})
SECRET_LENGTH = 16  # letters and digits of 5 bits each: 80 bits; the longest code WCTP peers take
MAX_LOGIN_LENGTH = 128
MAX_SECRET_LENGTH = 64
FREE_TRIES = 3  # wrong secrets before answers become slow
FIRST_DELAY_MS = 500
LONGEST_DELAY_MS = 8_000
FORGET_AFTER_MS = 900_000
MOST_REMEMBERED = 10_000


def normal_address(address: str) -> str:
    """Return a pager's address as it is compared: trimmed, case and separators ignored.

    `(555) 010-0123` is `5550100123`; an address with letters keeps its signs.
    """
    text = address.strip().casefold()
    digits = text.translate({ord(sign): None for sign in " ()-."})
    return digits if digits.removeprefix("+").isdigit() else text


def token_text(channel: str, address: str, secret: str) -> str:
    """Return what stands for a pager's secret where API tokens are looked up."""
    return f"{channel}\n{normal_address(address)}\n{secret}"


def secret_hash(channel: str, address: str, secret: str) -> str:
    """Return what is kept of a pager's secret."""
    return hashlib.sha256(token_text(channel, address, secret).encode()).hexdigest()


def new_pager_secret() -> str:
    """Return a fresh secret, to be shown once."""
    return new_secret(random.SystemRandom(), SECRET_LENGTH)


@dataclass(slots=True)
class _Failures:
    count: int
    last_wall_ms: int


class Guessing:
    """Wrong secrets per peer and per login, forgotten after a quarter of an hour.

    It slows down and never locks out, so nobody can keep a pager from its own account.
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def delay_ms(self, peer: str, login: str, now_wall_ms: int) -> int:
        """Return how long the next try has to wait before its secret is looked at."""
        worst = max(self._count(key, now_wall_ms) for key in _keys(peer, login))
        if worst < FREE_TRIES:
            return 0
        return min(LONGEST_DELAY_MS, FIRST_DELAY_MS << min(worst - FREE_TRIES, 8))

    def failed(self, peer: str, login: str, now_wall_ms: int) -> None:
        """Note a wrong secret."""
        for key in _keys(peer, login):
            count = self._count(key, now_wall_ms) + 1
            self._failures[key] = _Failures(count, now_wall_ms)
            self._failures.move_to_end(key)
        while len(self._failures) > MOST_REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, peer: str, login: str) -> None:
        """Forget what went wrong before a right secret."""
        for key in _keys(peer, login):
            self._failures.pop(key, None)

    def _count(self, key: str, now_wall_ms: int) -> int:
        known = self._failures.get(key)
        if known is None or now_wall_ms - known.last_wall_ms > FORGET_AFTER_MS:
            return 0
        return known.count


def _keys(peer: str, login: str) -> tuple[str, str]:
    return f"peer {peer}", f"login {login}"


async def principal_of_pager(
    core: CallCore, channel: str, login: str, secret: str, now_wall_ms: int
) -> Principal | None:
    """Return whose pager it is, None when login or secret is wrong or cannot be one.

    Raises:
        CallCoreError: nobody can tell now.
    """
    if not 0 < len(login) <= MAX_LOGIN_LENGTH or not 0 < len(secret) <= MAX_SECRET_LENGTH:
        return None
    if "\n" in login or "\n" in secret:
        return None
    return await core.principal_of_token(token_text(channel, login, secret), now_wall_ms)
