from channels.kit.repeats import MOST_REMEMBERED, WINDOW_MS, Repeats, digest_of

T0 = 1_790_000_030_000


def test_parts_are_not_run_together() -> None:
    """Another division of the same letters is another thing."""
    assert digest_of("ab", "c") != digest_of("a", "bc") != digest_of("abc")
    assert digest_of("\ud800")


def test_the_same_words_within_a_minute_are_one() -> None:
    """At the end of the minute still, a millisecond later no more, also across a full minute."""
    repeats = Repeats()
    first = repeats.external_id("x", T0)
    assert repeats.external_id("x", T0 + WINDOW_MS) == first
    assert repeats.external_id("y", T0) != first
    assert repeats.external_id("x", T0 + WINDOW_MS + 1) != first


def test_going_on_repeating_is_heard_again() -> None:
    """The window counts from the first one."""
    repeats = Repeats()
    ids = {repeats.external_id("x", T0 + second * 1000) for second in range(0, 122, 10)}
    assert len(ids) == 2


def test_a_restart_forgets_only_the_window() -> None:
    """Within the same minute of the clock the id is the same, without any memory."""
    minute = T0 - T0 % WINDOW_MS
    assert Repeats().external_id("x", minute) == Repeats().external_id("x", minute + 59_999)


def test_memory_is_bounded() -> None:
    """The oldest is forgotten first."""
    repeats = Repeats()
    minute = T0 - T0 % WINDOW_MS
    first = repeats.external_id("0", minute)
    for number in range(1, MOST_REMEMBERED):
        repeats.external_id(str(number), minute)
    assert repeats.external_id("0", minute + WINDOW_MS) == first
    repeats.external_id("more", minute)
    assert repeats.external_id("0", minute + WINDOW_MS) != first
