"""What a channel is: the base class that every way in and out extends, and the faults table.

A channel is one module (or package) of `channels`, named as the channel, with a module attribute
`channel` that is its class; `channels.kit.registry` finds it by being there. It collects routes
and listeners but never sees the server that runs them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from call_core.contracts import CallCore, Clock
from call_core.errors import (
    CallCoreError,
    CommitUnknown,
    DeliveryError,
    Overloaded,
    StoreUnavailable,
)
from call_core.notices import Notice
from call_core.outcomes import Outcome


class ChannelSettings(BaseModel):
    """Settings of one channel: its section of `callgate.toml`. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="False leaves this channel out")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for a person, from the outbox.

    Attributes:
        id: the outbox id; goes out as the message's own id, so that a repeat is recognisable.
        address: where to, in the channel's own form.
        content: what to say; `channels.kit.render` has the words.
        ref: the call it is about, "" if none.
        thread: what the request carried for threading (mail: Message-ID and References), or "".
        created_wall_ms: when it was decided.
        timezone: the user's IANA zone.
        test: whether every text starts with TEST (a simulator outside the demo).
    """

    id: str
    address: str
    content: Outcome | Notice
    ref: str
    thread: str
    created_wall_ms: int
    timezone: str
    test: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as a client of this channel knows themselves, for `Channel.probe`."""

    user_id: str
    address: str
    password: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """How a failure of ours is told on each kind of wire. All are temporary to the peer."""

    smtp: int
    http: int
    snpp: int
    retry_after_s: int
    text: str


_FAULTS: Mapping[type[CallCoreError], Fault] = {
    Overloaded: Fault(451, 503, 554, 5, "We are very busy. Nothing was launched; try again soon."),
    StoreUnavailable: Fault(
        451, 503, 554, 30, "We cannot write it down now, so nothing was launched. Try again soon."
    ),
    CommitUnknown: Fault(
        451, 503, 554, 10, "We are not sure that it was written down. Send the same again."
    ),
}
_ANY_FAULT = Fault(451, 503, 554, 10, "Something failed on our side. Nothing was launched.")


def fault_of(error: Exception) -> Fault:
    """Return how to tell a failure to the peer: always temporary, whatever was raised."""
    return _FAULTS.get(type(error), _ANY_FAULT) if isinstance(error, CallCoreError) else _ANY_FAULT


@dataclass(frozen=True, slots=True)
class Environment:
    """What the gateway gives to every channel when it is made.

    Attributes:
        core: the door and the reads.
        wall: our clock; call: the switch's clock.
        public_url: the base of the links that we send out.
        mail: settings of outgoing mail (`channels.kit.mail_out.MailOutSettings`).
        test_texts: whether every text starts with TEST.
        extras: objects that only some channels use, by name (the demo's mailbox, phone wall).
    """

    core: CallCore
    wall: Clock
    call: Clock
    public_url: str
    mail: Any
    test_texts: bool = False
    extras: Mapping[str, object] = field(default_factory=dict)


class Channel:
    """One way in and out. Subclasses set the class attributes and override what they have.

    Attributes:
        name: the module's name, the settings section, the channel name in CDRs.
        id_space: whose external ids its requests carry.
        about: one line for the feature matrix.
        features: words for the feature matrix: launch, conference, control, receipts, …
        Settings: its settings model.
    """

    name: ClassVar[str]
    id_space: ClassVar[str]
    about: ClassVar[str] = ""
    features: ClassVar[frozenset[str]] = frozenset()
    Settings: ClassVar[type[ChannelSettings]] = ChannelSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        self.settings = settings
        self.environment = environment
        self.core = environment.core

    def routers(self) -> Sequence[APIRouter]:
        """Return the HTTP routes that this channel serves; none for channels with own sockets."""
        return ()

    async def start(self) -> None:
        """Open own listeners and start own tasks."""

    async def stop(self) -> None:
        """Take nothing new, finish what was begun, close. Called once."""

    def listening(self) -> Sequence[str]:
        """Return the own listeners as `smtp://127.0.0.1:2525`, for the start banner."""
        return ()

    async def deliver(self, message: Outgoing) -> None:
        """Hand one message to the next hop.

        Raises:
            DeliveryError: it was not taken, or nobody knows.
        """
        raise DeliveryError(f"{self.name} cannot deliver to {message.address}", retryable=False)

    def not_probed(self) -> str:
        """Return why `probe` cannot be used with these settings, "" when it can."""
        return ""

    async def probe(self, identity: Identity, text: str) -> str:
        """Send one command as a real client would, over this channel's own protocol on loopback.

        The demo and the parity test launch through this; the channel must be started and, when it
        has routes, be served at `environment.public_url`.

        Returns:
            What the client saw: the answer's text, or "" when the answer comes by another way.
        """
        raise DeliveryError(
            f"{self.name} has no client for {identity.address}: {text}", retryable=False
        )
