"""Secrets that were made by a form and may be shown again only to a double tap of that form.

A browser that sends a form twice shows the second answer. Without this the second tap would make
another token, and the first would live on unseen. A client of the API that sends a request again,
under the same Idempotency-Key, is the same. Kept in memory, bounded, for a minute.
"""

from collections import OrderedDict

REMEMBERED_S = 60
MAX_REMEMBERED = 256


class ShownOnce:
    """The secrets of the last minute by the one-time token, or key, of what made them."""

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def remember(self, form_token: str, secret: str, now_wall_ms: int) -> None:
        """Keep a secret for a repeat of the same form."""
        self._secrets[form_token] = (now_wall_ms, secret)
        while len(self._secrets) > MAX_REMEMBERED:
            self._secrets.popitem(last=False)

    def again(self, form_token: str, now_wall_ms: int) -> str:
        """Return the secret that this form made within the last minute, "" if none."""
        oldest_ms = now_wall_ms - REMEMBERED_S * 1000
        while self._secrets and next(iter(self._secrets.values()))[0] < oldest_ms:
            self._secrets.popitem(last=False)
        return self._secrets.get(form_token, (0, ""))[1]
