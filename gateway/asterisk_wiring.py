"""An Asterisk as the settings describe it."""

from functools import partial

from call_core.contracts import Clock
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient
from call_core.switches.asterisk_shards import ShardedAsterisk
from gateway.lines import ports_of, trunks_of
from gateway.settings import ASTERISK, Settings
from gateway.settings_file import SettingsError


def open_asterisk(settings: Settings, wall: Clock, name: str) -> tuple[AsteriskSwitch, AriClient]:
    """Return the switch, and the client that is to be closed; nothing is asked of Asterisk yet.

    Args:
        settings: what was configured.
        wall: our clock.
        name: of the switch.

    Raises:
        SettingsError: there is no password.
    """
    section = settings.asterisk
    password = section.password.get_secret_value()
    if not password:
        raise SettingsError(f"{ASTERISK}.password is not set; it is the one of ari.conf.")
    found = settings.switches.get(name)
    url = (found.url if found is not None else "") or section.url
    client = AriClient(url, section.user, password, timeout_s=float(section.timeout_s))
    kind = partial(ShardedAsterisk, node=settings.node) if settings.many_nodes else AsteriskSwitch
    switch = kind(
        name=name,
        client=client,
        wall=wall,
        app=section.app,
        trunks=trunks_of(settings, name),
        ports=ports_of(settings, name),
        plus=section.plus,
        media=section.prompts,
    )
    return switch, client
