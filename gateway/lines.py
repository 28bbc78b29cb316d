"""The ways out that the settings name, checked against each other, as the core knows them."""

from pathlib import Path

from call_core.money import parse_amount
from call_core.units.lines import Lines, SwitchLine, TrunkLine
from gateway.settings import ASTERISK, KINDS, SIMULATOR, TWILIO_VOICE, Settings
from gateway.settings_file import SettingsError

TRUNK = "main"


def lines_of(settings: Settings) -> Lines | None:
    """Return switches and trunks; None when there is one way out and nothing to choose.

    Raises:
        SettingsError: they do not fit together.
    """
    if not settings.trunks:
        if len(settings.switches) > 1:
            raise SettingsError(
                "Several switches need [trunks.NAME] with `switch` and `tariff`, to choose by."
            )
        return None
    return Lines(
        trunks=tuple(_trunks(settings)),
        switches=tuple(
            SwitchLine(name, ports_of(settings, name)) for name in settings.switch_kinds()
        ),
        worth_ppm={
            currency.upper(): parse_amount(f"{worth:f}")
            for currency, worth in settings.routing.currencies.items()
        },
        below_cost_allowed=settings.routing.below_cost,
    )


def _trunks(settings: Settings) -> list[TrunkLine]:
    names = list(settings.switch_kinds())
    found = []
    for name, trunk in settings.trunks.items():
        switch = trunk.switch or (names[0] if len(names) == 1 else "")
        if switch not in names:
            known = ", ".join(names)
            raise SettingsError(
                f"trunks.{name}.switch is {trunk.switch or 'empty'}; the switches are {known}."
            )
        found.append(TrunkLine(name, switch, trunk.ports, trunk.tariff))
    return found


def ports_of(settings: Settings, switch: str) -> int:
    """Return how many legs a switch carries at once."""
    found = settings.switches.get(switch)
    if found is not None:
        return found.ports
    ports = {
        ASTERISK: settings.asterisk.ports,
        TWILIO_VOICE: settings.twilio_voice.ports,
        SIMULATOR: settings.simulator.ports,
    }
    return ports[settings.switch_kinds()[switch]]


def trunks_of(settings: Settings, switch: str) -> frozenset[str]:
    """Return the trunks of a switch; where none is named there is one, `main`."""
    if not settings.trunks:
        return frozenset({TRUNK})
    return frozenset(trunk.name for trunk in _trunks(settings) if trunk.switch == switch)


def orders_file(settings: Settings, switch: str) -> Path:
    """Return where a simulated switch keeps its running legs."""
    found = settings.switches.get(switch)
    file = settings.simulator.file
    if found is None:
        return file
    return found.file or file.with_name(f"{file.stem}-{switch}{file.suffix}")


def socket_of(settings: Settings, switch: str) -> Path | None:
    """Return where a simulator of its own listens, None for one inside this process."""
    found = settings.switches.get(switch)
    return None if found is None else found.socket


def first_switch(settings: Settings) -> str:
    """Return the switch of calls that do not leave yet."""
    return next(iter(settings.switch_kinds()))


def refuse_unknown_kinds(settings: Settings) -> None:
    """Raise `SettingsError` for kinds that there are not, or that cannot be together."""
    kinds = settings.switch_kinds()
    for kind in kinds.values():
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise SettingsError(f"There is no switch {kind}; there are: {known}.")
    if list(kinds.values()).count(TWILIO_VOICE) > 1:
        raise SettingsError(f"Only one switch can be of the kind {TWILIO_VOICE}.")
    mixed = not settings.simulated and SIMULATOR in kinds.values()
    if mixed and settings.simulator.speed != 1:
        raise SettingsError("simulator.speed must be 1 beside a switch that is real.")
