"""The demo's people, phones and settings: invented, and the same at every start.

One customer per channel that is compared, alike in all but name, so that their bills must be
alike; and Ada, with more phones and names, to play with.
"""

import csv
import io
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from channels.kit.pager_login import PAGER_CHANNELS
from gateway.demo.imap_server import USER
from gateway.listeners import Listener

SPEED = 6
TARIFF = "standard"
CURRENCY = "USD"
TOP_UP_MICROS = 25_000_000
COMMAND = "call +44 20 7946 0018"
LONDON = "+442079460018"
RATES = Path(__file__).with_name("rates.csv")
IMAP = Listener("imap", "127.0.0.1", 1143, "tcp")
"""Where the demo's mailbox listens, if the port is free."""
SITES = ("ny", "la", "ldn")
BUY_PERCENT = {
    "ny-blue": {"": 62, "44": 55},
    "la-red": {"": 58, "44": 70},
    "la-gold": {"": 90},
    "ldn-grey": {"": 66, "44": 48},
}
"""The demo's trunks, named `SITE-CARRIER`: what a carrier takes of our price, by prefix."""
_MAIL_DOMAIN = "demo.example"
_LOOPBACK = "127.0.0.1"
_MAIL = "smtp"

# How the senders of a channel are addressed, where it is not by mail.
_BY_PHONE = frozenset({"twilio_sms", "kannel_sms"})
_BY_PAGER = PAGER_CHANNELS
# Who is known there by a password, a token or a key has no address of the channel's own.
_WITHOUT_ADDRESS = frozenset({"api", "packet", "pda", "wap", "web"})


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody in the phone book: what to call them, and how their phone behaves."""

    name: str
    number: str
    script: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the demo, with everything that is set up for them.

    Attributes:
        senders: (channel, address), the first is how the person is compared.
        phones: (label, number), the first is the default.
    """

    customer: str
    name: str
    mail: str
    senders: Sequence[tuple[str, str]]
    phones: Sequence[tuple[str, str]]
    names: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""

    @property
    def address(self) -> str:
        """How the person is known to the own channel."""
        return self.senders[0][1] if self.senders else self.mail


FRIENDS = (
    Friend("London", LONDON, {"ring_s": 3, "result": "answer", "talk_s": 30}),
    Friend("mom", "+16169779933", {"ring_s": 4, "result": "answer", "talk_s": 0}),
    Friend("bob", "+442079460101", {"ring_s": 2, "result": "manual"}),
    Friend("carol", "+33142681234", {"ring_s": 5, "result": "answer", "talk_s": 90}),
    Friend("dave", "+4969710012", {"ring_s": 2, "result": "busy"}),
    Friend("erin", "+81312345678", {"ring_s": 30, "result": "no_answer"}),
    Friend("voicemail", "+14155550132", {"ring_s": 6, "result": "voicemail"}),
)


def people(channels: Mapping[str, str]) -> list[Person]:
    """Return Ada, then one person per channel, in the order given.

    Args:
        channels: channel name to its id space; within a space an address belongs to one user.
    """
    callers = (_caller(number, name, channels) for number, name in enumerate(channels))
    return [_ada(channels), *callers]


def _caller(number: int, channel: str, channels: Mapping[str, str]) -> Person:
    phone = f"+1212555{1000 + number:04}"
    mail = f"{channel.replace('_', '-')}@{_MAIL_DOMAIN}"
    return Person(
        customer=f"Parity {channel}",
        name=f"Caller {channel}",
        mail=mail,
        senders=_once([*_addresses([channel], mail, phone, number), (_MAIL, mail)], channels),
        phones=[("office", phone)],
        channel=channel,
    )


def _ada(channels: Mapping[str, str]) -> Person:
    mail, phone = f"ada@{_MAIL_DOMAIN}", "+12125550990"
    senders = _addresses(channels, mail, phone, 990)
    return Person(
        customer="Lovelace & Co",
        name="Ada",
        mail=mail,
        senders=_once([(_MAIL, mail), *senders], channels),
        phones=[("office", phone), ("cell", "+12125550991")],
        names={friend.name: friend.number for friend in FRIENDS if friend.name != "London"},
    )


def _once(senders: Sequence[tuple[str, str]], channels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the senders, each address once per id space."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for channel, address in senders:
        seen.setdefault((channels.get(channel, channel), address), (channel, address))
    return list(seen.values())


def _addresses(
    channels: Iterable[str], mail: str, phone: str, number: int
) -> list[tuple[str, str]]:
    """Return the addresses of a person on channels that know people by such; `number` is theirs."""
    return [
        (channel, _address(channel, mail, phone, number + offset))
        for offset, channel in enumerate(channels)
        if channel not in _WITHOUT_ADDRESS
    ]


def _address(channel: str, mail: str, phone: str, number: int) -> str:
    if channel in _BY_PHONE:
        return phone
    if channel in _BY_PAGER:
        return f"55501{number:05}"
    return mail


def phone_labels(everybody: Sequence[Person]) -> dict[str, str]:
    """Return whose phone each number is, the friends' last."""
    own = {
        number: f"{person.name}, {label}" for person in everybody for label, number in person.phones
    }
    return own | {friend.number: friend.name for friend in FRIENDS}


def settings_text(
    channels: Iterable[str],
    listeners: Sequence[Listener],
    relay_port: int,
    secret: str,
    imap_mailbox: Mapping[str, object] | None = None,
) -> str:
    """Return the demo's `callgate.toml`; free ports take the place of those in use.

    Args:
        channels: which there are.
        listeners: what the defaults would listen on.
        relay_port: of the demo's mailbox.
        secret: whatever a channel shares with its peer, who is the demo itself.
        imap_mailbox: settings of the mailbox that is read, if there is one.
    """
    sections: dict[str, dict[str, object]] = {
        "database": {"url": "sqlite:///callgate.db"},
        "mail_out": {"host": _LOOPBACK, "port": relay_port, "tls": "never"},
    }
    for name in channels:
        sections[name] = _channel_settings(name, secret)
    for each in listeners:
        sections.setdefault(each.name, {})["port"] = free_port(each)
    if imap_mailbox is not None:
        sections["imap.mailboxes.demo"] = dict(imap_mailbox)
    sections["simulator"] = {"speed": SPEED, "file": "simulator.json"}
    sections |= {f"switches.{site}": {"kind": "simulator"} for site in SITES}
    sections |= {
        f"trunks.{trunk}": {"switch": trunk.partition("-")[0], "tariff": buy_tariff(trunk)}
        for trunk in BUY_PERCENT
    }
    sections |= {f'simulator.phones."{each.number}"': dict(each.script) for each in FRIENDS}
    lines = ["# Written anew at every start of `callgate demo`.", 'node = "demo"', ""]
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        lines += [""]
    return "\n".join(lines)


def mailbox_settings(port: int, password: str) -> dict[str, object]:
    """Return the settings of the demo's own mailbox on this machine (`[imap.mailboxes.NAME]`)."""
    return {
        "host": _LOOPBACK,
        "port": port,
        "tls": "never",
        "username": USER,
        "password": password,
        "trusted": True,
    }


def buy_tariff(trunk: str) -> str:
    """Return the tariff of what legs cost on a trunk of the demo."""
    return f"buy-{trunk}"


def buy_deck(lines: Iterable[str], trunk: str) -> list[str]:
    """Return a carrier's price list: our own, cheaper by what the carrier leaves us."""
    rows = csv.DictReader(lines)
    out = io.StringIO()
    writer = csv.DictWriter(out, rows.fieldnames or [])
    writer.writeheader()
    for row in rows:
        percent = max(
            (prefix, share)
            for prefix, share in BUY_PERCENT[trunk].items()
            if row["prefix"].startswith(prefix)
        )[1]
        if row["price_per_minute"]:  # a blocked prefix has none
            row["price_per_minute"] = f"{Decimal(row['price_per_minute']) * percent / 100:f}"
        writer.writerow(row)
    return out.getvalue().splitlines(keepends=True)


def _channel_settings(name: str, secret: str) -> dict[str, object]:
    """Return what a channel needs to be tried on loopback by somebody who has no carrier."""
    match name:
        case "smtp":
            return {"trusted_networks": ["127.0.0.0/8"], "auth_without_tls": True}
        case "twilio_sms":
            return {"auth_tokens": [secret]}
        case _:
            return {}


def free_port(listener: Listener) -> int:
    """Return the listener's port when nothing uses it, else a free one."""
    kind = socket.SOCK_DGRAM if listener.transport == "udp" else socket.SOCK_STREAM
    for port in (listener.port, 0):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("this machine has no free port")
