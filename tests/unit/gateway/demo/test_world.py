"""The demo's people and settings."""

import socket
import tomllib

import phonenumbers
import pytest

from channels.kit.registry import channel_classes
from gateway.demo import world
from gateway.listeners import Listener
from parsers.grammar import is_saveable_name

SPACES = {name: made.id_space for name, made in channel_classes().items()} | {
    "imap": "mail",
    "twilio_sms": "twilio_sms",
    "snpp": "snpp",
}


def test_one_caller_per_channel_alike_in_all_but_name() -> None:
    """Each has one phone of the same price; Ada comes first."""
    ada, *callers = world.people(SPACES)
    assert ada.name == "Ada"
    assert [each.channel for each in callers] == list(SPACES)
    assert {number[:6] for each in callers for _, number in each.phones} == {"+12125"}


def test_nobody_shares_an_address_a_phone_or_a_name() -> None:
    """Within an id space an address is one user's."""
    everybody = world.people(SPACES)
    addresses = [(SPACES[c], a) for each in everybody for c, a in each.senders]
    numbers = [number for each in everybody for _, number in each.phones]
    for values in (addresses, numbers, [each.customer for each in everybody]):
        assert len(values) == len(set(values))


def test_a_callers_first_sender_is_the_channels_own() -> None:
    """The address that the channel is tried with has the channel's form."""
    by_channel = {each.channel: each for each in world.people(SPACES)}
    assert by_channel["imap"].address == "imap@demo.example"
    assert by_channel["twilio_sms"].address.startswith("+1212")
    assert by_channel["snpp"].address.isdigit()


@pytest.mark.parametrize("number", sorted(world.phone_labels(world.people(SPACES))))
def test_every_number_of_the_demo_can_be_called(number: str) -> None:
    """Libphonenumber takes each for a valid number."""
    assert phonenumbers.is_valid_number(phonenumbers.parse(number)), number


@pytest.mark.parametrize("name", [friend.name for friend in world.FRIENDS])
def test_every_name_of_the_demo_can_be_saved(name: str) -> None:
    """No friend is called like a command."""
    assert is_saveable_name(name)


@pytest.mark.enable_socket
def test_the_settings_are_a_file_with_the_ports_that_are_free() -> None:
    """Defaults where nothing listens, another port where something does."""
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        port = used.getsockname()[1]
        found = [Listener("smtp", "127.0.0.1", port, "tcp")]
        text = world.settings_text(["smtp", "twilio_sms"], found, 2500, "s3cret")
    data = tomllib.loads(text)
    assert data["smtp"]["port"] != port
    assert data["smtp"]["trusted_networks"] == ["127.0.0.0/8"]
    assert data["twilio_sms"]["auth_tokens"] == ["s3cret"]
    assert data["mail_out"]["port"] == 2500
    assert data["simulator"]["phones"][world.LONDON]["talk_s"] == 30


@pytest.mark.enable_socket
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_free_port_is_kept(transport: str) -> None:
    """The listener's own port is taken when nothing uses it."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert world.free_port(Listener("x", "127.0.0.1", port, transport)) != port
    assert world.free_port(Listener("x", "127.0.0.1", port, transport)) == port
