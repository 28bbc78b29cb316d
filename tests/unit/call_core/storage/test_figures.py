"""The counters: what one store's threads did, together."""

import threading

from call_core.storage.figures import Figures, Statistics, UnitFigures


def statistics(figures: Figures) -> Statistics:
    """Return the counts, with empty queues."""
    return figures.statistics(refused=7, waiting=(1, 2), longest_wait_ms=3)


def test_a_new_store_has_done_nothing() -> None:
    """Everything counted is 0; what the queues say is passed on."""
    assert statistics(Figures()) == Statistics(0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, {})


def test_units_are_counted_by_name() -> None:
    """Runs, statements and the costliest run, failed runs included."""
    figures = Figures()
    for statements, failed in [(3, False), (11, False), (5, True)]:
        figures.ran("launch", statements, failed=failed)
    figures.ran("settle", 2, failed=False)
    figures.committed(3, wrote=True)
    figures.committed(1, wrote=False)
    figures.repeating()
    counted = statistics(figures)
    assert counted.by_unit == {"launch": UnitFigures(3, 19, 11), "settle": UnitFigures(1, 2, 2)}
    assert (counted.units, counted.failed, counted.statements) == (4, 1, 21)
    assert (counted.commits, counted.synced, counted.largest_batch) == (2, 1, 3)
    assert counted.repeated == 1


def test_no_count_is_lost_between_threads() -> None:
    """Every thread adds to the same figures."""
    figures = Figures()

    def count() -> None:
        for _ in range(2000):
            figures.ran("unit", 1, failed=False)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics(figures).by_unit["unit"] == UnitFigures(8000, 8000, 1)
