"""Passwords, TLS and real mail programs at the SMTP listener."""

import asyncio
import base64
import shutil
import smtplib
import ssl
from pathlib import Path

import pytest
import trustme

from call_core.commands import Call, Name
from call_core.errors import StoreUnavailable
from call_core.requests import Evidence
from channels.kit.contract import Identity
from tests.integration.smtp_support import Core, Wire, in_thread, mail, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a PEM file with a key and a certificate for loopback."""
    path = tmp_path / "tls.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def lenient_context() -> ssl.SSLContext:
    """Return a client's context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_password_over_tls_proves_the_user(certificate: Path, mechanism: str) -> None:
    """The user is the one whose password it is, whatever From says."""
    core = Core()

    def session(port: int) -> tuple[list[bool], int]:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.ehlo()
            offered = [client.has_extn("auth")]
            client.starttls(context=lenient_context())
            client.ehlo()
            offered.append(client.has_extn("auth"))
            client.user, client.password = "ann", "secret"
            client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            client.mail("eve@y.example")
            client.rcpt("call@gw.example.org")
            return offered, client.data(mail())[0]

    async with served(core, trusted_networks=(), tls_certificate=certificate) as (_, port):
        assert await in_thread(lambda: session(port)) == ([False, True], 250)
    (request,) = core.requests
    assert (request.user_id, request.sender, request.evidence) == ("usr_1", "", Evidence.PROVEN)


def plain(login: bytes, password: bytes) -> str:
    """Return an AUTH PLAIN command."""
    credentials = base64.b64encode(b"\0" + login + b"\0" + password)
    return f"AUTH PLAIN {credentials.decode()}"


async def test_wrong_passwords_are_refused_and_few() -> None:
    """535 three times, then the connection ends; broken ones are syntax errors."""
    async with served(Core(), auth_without_tls=True) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say(plain(b"ann", b"wrong")))[:3] == "535"
        assert (await wire.say(plain(b"\xff", b"secret")))[:3] == "535"
        assert (await wire.say("AUTH PLAIN !!"))[:3] == "501"
        assert (await wire.say(plain(b"ann", b"secret")))[:3] == "421"
        await wire.close()


async def test_a_password_that_cannot_be_checked_is_not_wrong() -> None:
    """454: a device that is told 535 forgets a right password."""
    async with served(Core(fault=StoreUnavailable()), auth_without_tls=True) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say(plain(b"ann", b"secret")))[:3] == "454"
        await wire.close()


async def test_auth_can_be_required() -> None:
    """Without a password there is no mail, and without TLS there is no password."""
    async with served(Core(), auth_without_tls=True, require_auth=True) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say("MAIL FROM:<ann@x.example>"))[:3] == "530"
        assert (await wire.say(plain(b"ann", b"secret")))[:3] == "235"
        assert (await wire.say("MAIL FROM:<ann@x.example>"))[:3] == "250"
        await wire.close()
    async with served(Core()) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say(plain(b"ann", b"secret")))[:3] == "538"
        await wire.close()


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
@pytest.mark.parametrize("options", [(), ("--tls",), ("--tls", "--auth", "PLAIN")])
async def test_swaks_is_served(certificate: Path, options: tuple[str, ...]) -> None:
    """A real client over an open line, over TLS, and with a password."""
    core = Core()
    async with served(core, tls_certificate=certificate) as (_, port):
        process = await asyncio.create_subprocess_exec(
            *("swaks", "--server", f"127.0.0.1:{port}", "--from", "ann@x.example"),
            *("--to", "call@gw.example.org", "--body", "call mom", "--h-Subject", "hello"),
            *("-au", "ann", "-ap", "secret") if "--auth" in options else (),
            *options,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, output.decode()
    assert core.requests[0].command == Call(Name("mom"))
    assert core.requests[0].user_id == ("usr_1" if "--auth" in options else None)


async def test_the_channel_can_probe_itself(certificate: Path) -> None:
    """The demo's client: trusted on loopback, or with a password."""
    core = Core()
    async with served(core, tls_certificate=certificate) as (channel, _):
        assert await channel.probe(Identity("usr_1", "ann@x.example"), "call mom") == ""
        assert await channel.probe(Identity("usr_1", "ann@x.example", "secret"), "call mom") == ""
    assert [request.user_id for request in core.requests] == [None, "usr_1"]
    assert {request.command for request in core.requests} == {Call(Name("mom"))}
