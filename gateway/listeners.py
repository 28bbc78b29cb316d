"""Which listeners the settings open, and which of them `serve` refuses to open."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.settings import Settings, settings_model

_UDP = frozenset({"packet"})


@dataclass(frozen=True, slots=True)
class Listener:
    """One `host` and `port` of the settings; `name` is its section."""

    name: str
    host: str
    port: int
    transport: str


def listeners(settings: Settings) -> Iterator[Listener]:
    """Yield every listener of an enabled section, HTTP first.

    A section is a listener when it has `host` and `port` and listens on loopback by default;
    sections of clients (a relay, a mailbox elsewhere) have no such default.
    """
    for name in settings_model().model_fields:
        section = getattr(settings, name)
        fields = getattr(type(section), "model_fields", {})
        if not {"host", "port"} <= fields.keys() or not getattr(section, "enabled", True):
            continue
        if is_loopback(str(fields["host"].default)):
            yield Listener(name, section.host, section.port, "udp" if name in _UDP else "tcp")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(settings: Settings) -> str:
    """Return why these listeners must not be opened, in one sentence; "" when they may."""
    public = [each for each in listeners(settings) if not is_loopback(each.host)]
    if not public:
        return ""
    if settings.simulated and not settings.simulator.public_listeners:
        first = public[0]
        return (
            f"{first.name}.host is {first.host} but the switch is the simulator, which rings "
            "nobody; set a real switch, a loopback host, or simulator.public_listeners = true."
        )
    for each in public:
        if getattr(getattr(settings, each.name), "trusted_networks", ()):
            return (
                f"{each.name}.trusted_networks lets anybody there be any sender, and {each.name} "
                f"listens on {each.host}; empty it, or listen on loopback."
            )
    return ""
