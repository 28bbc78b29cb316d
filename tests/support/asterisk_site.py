"""A gateway as it is deployed: `callgate serve` in a process of its own, real Asterisk, SIP phones.

The wire between them can be cut, the gateway can be killed with -9 and started again, and what a
phone hears is known by whose voice it is.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from pwdlib import PasswordHash

from call_core.administration import (
    ActivateDeck,
    AddCustomer,
    AddPhone,
    AddSender,
    AddToken,
    AddUser,
    SetPassword,
    TopUp,
)
from call_core.calls.model import Call
from call_core.contracts import Cdr
from call_core.ids import new_secret
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.access import hash_of
from channels.kit.contract import Identity
from channels.kit.pager_login import secret_hash
from gateway import books
from gateway.clocks import WallClock
from gateway.mailbox import Mailbox
from gateway.operator_door import ask, made_id, new_token
from gateway.settings import Settings
from gateway.settings_file import load_settings
from gateway.wiring import Core, open_core
from tests.soak import serving
from tests.soak.site import NO_LIMIT, free_ports, settings_text
from tests.support.asterisk import PASSWORD, Asterisk, running_asterisk
from tests.support.invariants import broken
from tests.support.sip_phones import Dialog, voice_of
from tests.support.wire_cutter import WireCutter
from tests.support.world_parts import cdrs_of, every_call, load_deck, rate_row

MAIL, OFFICE, PAGER = "ada@demo.example", "+13125550990", "5550100990"
SMS_SECRET = "only-for-tests"
TARIFF = "standard"
MUCH_MICROS = 1_000_000_000
WAIT_S = 60.0
PACKETS = 25
_LISTENERS = ("http", "smtp", "snpp")


@dataclass(slots=True)
class AsteriskSite:
    """Where it runs.

    Attributes:
        identity: Ada, who has one telephone, a pager, a token.
        process: the gateway, None while it is dead.
    """

    config: Path
    ports: dict[str, int]
    identity: Identity
    asterisk: Asterisk
    wire: WireCutter
    process: serving.Serving | None = field(default=None)

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.ports['http']}"

    async def start(self) -> None:
        """Start the gateway, and wait until it says that it is ready, its switch included."""
        process = self.process = serving.start(self.config)
        async with httpx2.AsyncClient(base_url=self.url) as client:

            async def ready() -> bool:
                assert process.status is None, self.log()
                try:
                    return (await client.get("/readyz")).status_code == httpx2.codes.OK
                except httpx2.HTTPError:
                    return False

            await until(ready)

    async def kill(self) -> None:
        """Kill it with -9."""
        assert self.process is not None
        await asyncio.to_thread(self.process.kill)
        self.process = None

    async def stop(self) -> None:
        """Let it drain, if it runs."""
        if self.process is not None:
            process, self.process = self.process, None
            await asyncio.to_thread(process.stop)

    def log(self) -> str:
        """Return what it has written."""
        return (self.config.parent / serving.LOG).read_text(encoding="utf-8")

    # --- what its users do ------------------------------------------------------------------------

    @asynccontextmanager
    async def api(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A client of the API that is Ada."""
        headers = {"Authorization": f"Bearer {self.identity.token}"}
        base = f"{self.url}/api/v1"
        async with httpx2.AsyncClient(headers=headers, base_url=base) as client:
            yield client

    async def launch(self, number: str, **more: str) -> str:
        """Call a number by the API, with more fields of the body; return the call's id."""
        async with self.api() as client:
            answer = await client.post("/calls", json={"to": number, **more})
            assert answer.status_code == httpx2.codes.ACCEPTED, answer.text
            return str(answer.json()["call_id"])

    async def hang_up(self, call_id: str) -> None:
        """End a call by the API."""
        async with self.api() as client:
            answer = await client.delete(f"/calls/{call_id}")
            assert answer.is_success, answer.text

    # --- what can be seen -------------------------------------------------------------------------

    def dialog(self, number: str) -> Dialog | None:
        """Return the newest call to a telephone."""
        found = [each for each in self.asterisk.phones.dialogs.values() if each.number == number]
        return found[-1] if found else None

    def put_down(self, number: str) -> None:
        """Let the telephone at a number hang up."""
        dialog = self.dialog(number)
        assert dialog is not None
        self.asterisk.phones.hang_up(dialog)

    def heard(self, one: str, other: str) -> int:
        """Return how many packets of the other's own voice a telephone has heard, in all calls."""
        dialogs = self.asterisk.phones.dialogs.values()
        return sum(d.media.voices[voice_of(other)] for d in dialogs if d.number == one)

    def talking(self, one: str, other: str) -> bool:
        """Whether each of the two hears the other's own voice, more than by chance."""
        return min(self.heard(one, other), self.heard(other, one)) >= PACKETS

    @asynccontextmanager
    async def core(self) -> AsyncIterator[Core]:
        """Look into its database, as another process that drives nothing."""
        async with open_core(self.settings(), drive=False) as core:
            yield core

    def settings(self) -> Settings:
        """Return the settings as `serve` reads them."""
        return load_settings(self.config, {})

    async def calls(self) -> list[Call]:
        """Return every call as it is stored, oldest first."""
        async with self.core() as core:
            return await core.store.read(every_call)

    async def ended(self, count: int) -> dict[str, list[Cdr]]:
        """Wait until there are so many calls and all have ended; return their records."""
        async with self.core() as core:

            async def over() -> bool:
                calls = await core.store.read(every_call)
                return len(calls) >= count and all(call.ended for call in calls)

            await until(over)
            calls = await core.store.read(every_call)
            return {call.id: await core.store.read(cdrs_of, call.id) for call in calls}

    async def wrong(self) -> list[str]:
        """Return what is wrong with its books, a sentence each; no leg may be up."""
        async with self.core() as core:
            on_the_switch = {
                leg.leg_id for each in core.switches.values() for leg in await each.live_legs()
            }
            _, found = await core.store.read(books.verify, _quiet)
            return [*found, *await core.store.read(broken, on_the_switch, core.engine.house)]

    def channels(self) -> str:
        """Return what Asterisk itself says of its channels."""
        return self.asterisk.command("core show channels count")


async def until(true: Callable[[], Awaitable[bool]], within_s: float = WAIT_S) -> None:
    """Wait for something."""
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110  (it looks at other programs)
            await asyncio.sleep(0.05)


@asynccontextmanager
async def asterisk_site(
    folder: Path, *, micros: int = MUCH_MICROS, sections: Sequence[str] = ()
) -> AsyncIterator[AsteriskSite]:
    """Set one up whose gateway does not run yet, and leave nothing behind.

    Args:
        folder: for its settings, database and log.
        micros: what Ada's customer has.
        sections: further sections of the settings, as TOML.
    """
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    async with running_asterisk() as asterisk, (wire := WireCutter(asterisk.ari_port)).running():
        asterisk.phones.default = PhoneScript(ring_ms=200, press="1")
        with free_ports(len(_LISTENERS)) as found:
            ports = dict(zip(_LISTENERS, found, strict=True))
        config = folder / "callgate.toml"
        of_its_own: dict[str, dict[str, object]] = {
            "database": {"url": f"sqlite:///{folder / 'callgate.db'}"},
            "mail_out": {"host": "127.0.0.1", "port": relay_port, "tls": "never"},
            "asterisk": {"url": f"http://127.0.0.1:{wire.port}/ari", "password": PASSWORD},
            "kannel_sms": {"secret": SMS_SECRET},
            "packet": {"enabled": False},  # its UDP port may be one of the telephones' by now
        }
        text = settings_text("site", "asterisk", of_its_own, ports)
        config.write_text("\n".join([text, *sections]), encoding="utf-8")
        async with open_core(load_settings(config, {}), create=True, drive=False) as core:
            identity = await _ada(core, micros)
        site = AsteriskSite(config, ports, identity, asterisk, wire)
        try:
            yield site
        finally:
            await site.stop()
            await mailbox.stop()


async def _ada(core: Core, micros: int) -> Identity:
    """Add prices and a user."""
    now = core.wall.now_ms()
    rows = [rate_row("1", "United States", 10_000, 0, 6, 6)]
    version = await core.store.run(load_deck, TARIFF, rows)
    password, token = new_secret(random.SystemRandom(), 10), new_token()
    customer = AddCustomer(
        "Lovelace", "USD", "prepaid", tariff=TARIFF, regions=("US",), concurrent_calls=NO_LIMIT
    )
    await ask(core, ActivateDeck(TARIFF, version), now)
    customer_id = made_id(await ask(core, customer, now), "customer_id")
    await ask(core, TopUp(customer_id, micros), now)
    user_id = made_id(await ask(core, AddUser(customer_id, "Ada"), now), "user_id")
    for asked in (
        SetPassword(user_id, PasswordHash.recommended().hash(password)),
        AddToken(user_id, hash_of(token), "tests"),
        AddPhone(user_id, "office", OFFICE, trusted=True),
        AddSender(user_id, "smtp", MAIL),
        AddSender(user_id, "snpp", PAGER, secret_hash("snpp", PAGER, password)),
        AddSender(user_id, "kannel_sms", OFFICE),
    ):
        await ask(core, asked, now)
    return Identity(user_id, MAIL, password, token)


def _quiet(_done: int, _of: int) -> None:
    """Show no progress."""
