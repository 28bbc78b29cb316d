"""What the micro channels can be told; each has its own section."""

import random

from pydantic import Field, SecretStr

from channels.kit.contract import ChannelSettings
from channels.kit.micro_session import MicroSessions

KEY_BYTES = 32
MIN_KEY_LENGTH = 32


class MicroSettings(ChannelSettings):
    """Settings of a channel of micro pages."""

    session_key: SecretStr = Field(
        default=SecretStr(""),
        min_length=MIN_KEY_LENGTH,
        description="seals the pages' sessions; several nodes need the same one; without it one is "
        "made at every start",
    )

    def sessions(self, channel: str, rng: random.Random) -> MicroSessions:
        """Return the sessions of a channel, with the key that was set or one of this process."""
        key = self.session_key.get_secret_value().encode()
        return MicroSessions(
            key or rng.getrandbits(8 * KEY_BYTES).to_bytes(KEY_BYTES, "big"), channel, rng
        )
