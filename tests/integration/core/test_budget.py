"""What a two-leg call costs the database: units and statements, counted by the store itself."""

import pytest

from call_core.storage.figures import UnitFigures
from tests.support.world import UK, World

pytestmark = pytest.mark.anyio
NOTHING = UnitFigures(0, 0, 0)


@pytest.mark.parametrize(
    ("phone", "most_units", "most_statements"), [("office", 5, 41), ("cell", 6, 43)]
)
async def test_a_two_leg_call_stays_within_its_units_and_statements(
    world: World, phone: str, most_units: int, most_statements: int
) -> None:
    """The launch, every event, an extension and both settlements; ringing is no unit.

    A user's own phone that wants a key (`cell`) takes one unit more.
    """
    ada = await world.user(await world.customer())
    before = world.store.statistics().by_unit
    await world.say(ada, f"call {UK} from {phone}")
    await world.run_out()
    after = world.store.statistics().by_unit

    spent = {
        name: (after[name].runs - was.runs, after[name].statements - was.statements)
        for name in ("handle", "advance_call")
        for was in [before.get(name, NOTHING)]
    }
    units = sum(runs for runs, _ in spent.values())
    statements = sum(count for _, count in spent.values())
    assert units <= most_units, spent
    assert statements <= most_statements, spent
