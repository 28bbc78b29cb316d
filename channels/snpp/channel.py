"""The SNPP channel itself: listener, carrier, and a client for the parity test."""

import random
from collections.abc import Sequence
from typing import ClassVar

from call_core.errors import DeliveryError
from channels.kit.contract import Channel, ChannelSettings, Environment, Identity, Outgoing
from channels.kit.pager_login import Guessing
from channels.kit.repeats import Repeats
from channels.snpp.carrier import Carrier, talk
from channels.snpp.listener import Listener
from channels.snpp.session import Shared
from channels.snpp.settings import SnppSettings
from channels.snpp.tags import Tags
from parsers.snpp_client import PageOrder, SnppRefused, page_script

PROBE_TIMEOUT_S = 20.0


class SnppChannel(Channel):
    """Pagers by SNPP, both ways."""

    name = "snpp"
    id_space = "snpp"
    about = "Page a command by SNPP, answered on the line; two-way pagers pick a choice."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "receipts"}
    )
    Settings = SnppSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, SnppSettings)
        self._carrier = Carrier(settings, environment)
        tags = Tags(random.SystemRandom(), settings.tag_hours)
        self._scheme = "snpps" if settings.tls_certificate else "snpp"
        self._listener = Listener(Shared(environment, settings, Guessing(), Repeats(), tags))

    async def start(self) -> None:
        """Listen, and begin to ask the carrier for answers.

        Raises:
            OSError: the port is taken, or a TLS file cannot be read.
        """
        await self._listener.start()
        self._carrier.start()

    async def stop(self) -> None:
        """Finish what was sent completely, close everything."""
        await self._carrier.stop()
        await self._listener.stop()

    def listening(self) -> Sequence[str]:
        """Return the listener with its real port."""
        return tuple(f"{self._scheme}://{host}:{port}" for host, port in self._listener.addresses)

    async def deliver(self, message: Outgoing) -> None:
        """Page a user through the carrier."""
        await self._carrier.deliver(message)

    async def probe(self, identity: Identity, text: str) -> str:
        """Page `text` as a two-way pager's owner would; return the words of the reply to SEND."""
        host, port = self._listener.addresses[0]
        order = PageOrder("callgate", text, login=identity.address, secret=identity.password)
        try:
            paged = await talk(page_script(order), host, port, timeout_s=PROBE_TIMEOUT_S)
        except DeliveryError as error:
            refused = error.__cause__
            if isinstance(refused, SnppRefused) and not refused.is_temporary:
                return refused.reply.text
            raise
        return paged.text
