"""Seeds that found a defect of the core, how many steps they take, and what was wrong."""

ONCE_BROKEN: list[tuple[int, int, str]] = [
    (2, 60, "who settled with an old call met a broken ledger before the fence"),
    (6, 40, "the same, after a commit whose answer was lost"),
    (54, 30, "the timers swallowed a cancellation, so that a stopping process stayed for ever"),
    (1574, 200, "an answer whose event was lost was taken to be when the accept key was pressed"),
    (3067, 300, "who woke up after a take-over alarmed about an event of what the other had done"),
]
