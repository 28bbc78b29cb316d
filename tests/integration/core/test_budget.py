"""What a two-leg call costs the database: units and statements, counted by the store itself."""

import pytest

from call_core.storage.figures import UnitFigures
from tests.support.world import UK, World

pytestmark = pytest.mark.anyio
NOTHING = UnitFigures(0, 0, 0)
MOST_UNITS, MOST_STATEMENTS = 6, 49  # from request to bill, an extension of the holds included


@pytest.mark.parametrize("phone", ["office", "cell"])
async def test_a_two_leg_call_stays_within_its_units_and_statements(
    world: World, phone: str
) -> None:
    """The launch, every event and both settlements; ringing and bridging are no units."""
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
    assert units <= MOST_UNITS, spent
    assert statements <= MOST_STATEMENTS, spent
