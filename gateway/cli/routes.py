"""`routes explain`: which trunk a call would leave by now, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import USAGE, CliError, Config, Json, answer, command
from gateway.cli.core import with_core

if TYPE_CHECKING:
    from gateway.route_report import Report
    from gateway.wiring import Core

routes = typer.Typer(help="Routes: which trunk a call leaves by.", no_args_is_help=True)


@routes.command("explain")
@command
def explain(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="E.164, like +442079460018.")],
    *,
    origin: Annotated[
        str, typer.Option("--from", help="The caller's phone, to route the whole call.")
    ] = "",
    tariff: Annotated[
        str, typer.Option(help="What customers pay; shows what is sold below cost.")
    ] = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Print every trunk's offer, what would be chosen and why, with ports and health.

    Health is what the switches say now; a trunk that rests after failures is known to `serve`.

    Example: callgate routes explain +442079460018 --from +12125550990 --tariff standard
    """
    numbers = [_e164(each) for each in (origin, number) if each]

    async def work(core: "Core") -> "Report":
        from gateway.route_report import NotSoldError, look

        house = core.engine.house
        if house.lines is None:
            raise CliError("There is one trunk, so there is nothing to choose; see [trunks].")
        await core.engine.look_at_switches(house.lines)
        try:
            return await core.store.read(
                look, house, house.lines, numbers, tariff, core.call_clock.now_ms()
            )
        except NotSoldError as error:
            raise CliError(str(error), code="not_sold") from error

    found = with_core(config, work)
    from gateway.route_report import as_data, as_text

    answer({"ok": True, **as_data(found)}, as_text(found), as_json=as_json)


def _e164(text: str) -> str:
    from call_core.numbering import E164, Home, normalise

    found = normalise(text, Home("US"))
    if not text.lstrip().startswith("+") or not isinstance(found, E164):
        raise CliError(f"{text} is no number in E.164, like +442079460018.", USAGE)
    return found.digits
