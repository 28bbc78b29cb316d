from channels.kit.repeats import MOST_REMEMBERED, WINDOW_MS, Repeats, digest_of

T0 = 1_790_000_030_000


def test_parts_are_not_run_together() -> None:
    """Another division of the same letters is another thing."""
    assert digest_of("ab", "c") != digest_of("a", "bc") != digest_of("abc")
    assert digest_of("\ud800")


def test_the_same_words_within_90_seconds_are_one() -> None:
    """At 89 seconds they are a repeat, at 91 they are said anew; the end itself belongs to it."""
    first = Repeats().external_id("x", T0)
    for later_ms, same in (
        (89_000, True),
        (WINDOW_MS, True),
        (WINDOW_MS + 1, False),
        (91_000, False),
    ):
        repeats = Repeats()
        assert repeats.external_id("x", T0) == first
        assert repeats.external_id("y", T0) != first
        assert (repeats.external_id("x", T0 + later_ms) == first) is same, later_ms


def test_going_on_repeating_is_heard_again() -> None:
    """The window counts from the first one."""
    repeats = Repeats()
    ids = {repeats.external_id("x", T0 + second * 1000) for second in range(0, 182, 10)}
    assert len(ids) == 2


def test_a_restart_forgets_only_the_window() -> None:
    """Within the same 90 seconds of the clock the id is the same, without any memory."""
    begin = T0 - T0 % WINDOW_MS
    assert Repeats().external_id("x", begin) == Repeats().external_id("x", begin + WINDOW_MS - 1)


def test_memory_is_bounded() -> None:
    """The oldest is forgotten first."""
    repeats = Repeats()
    begin = T0 - T0 % WINDOW_MS
    first = repeats.external_id("0", begin)
    for number in range(1, MOST_REMEMBERED):
        repeats.external_id(str(number), begin)
    assert repeats.external_id("0", begin + WINDOW_MS) == first
    repeats.external_id("more", begin)
    assert repeats.external_id("0", begin + WINDOW_MS) != first
