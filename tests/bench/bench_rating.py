"""Rating figures: time of a look-up, of building a deck and of reading a deck file.

Run it as a script; it prints one line of JSON. `measure` gives the same figures to others.
"""

import json
import sys
from collections.abc import Iterator
from time import perf_counter

from call_core.rating.deck import RateDeck, RateRow
from call_core.rating.deck_file import read_deck

PREFIXES = 500_000
LOOK_UPS = 200_000
_STEP = 2_654_435_761
"""Coprime with any power of ten: multiples of it visit numbers of N digits in no order."""


def prefixes(count: int) -> Iterator[str]:
    """Gives distinct prefixes of 1 to 9 digits, most of them long, as real decks have."""
    given, digits = 0, 1
    while given < count:
        wanted = count - given if digits == 9 else min(count - given, 9 * 10 ** (digits - 1) // 2)
        first = 10 ** (digits - 1)
        for index in range(wanted):
            yield str(first + index * _STEP % (9 * first))
        given += wanted
        digits += 1


def deck_lines(count: int) -> Iterator[str]:
    """Gives a deck file of so many rows."""
    yield "prefix,destination,price_per_minute,connect_fee,first_increment_s,next_increment_s\n"
    for index, prefix in enumerate(prefixes(count)):
        yield f"{prefix},Destination {index // 100},0.{index % 997 + 1:04d},0.01,30,6\n"


def numbers(count: int) -> list[str]:
    """Gives numbers to look up, 11 to 13 digits, spread over all prefixes."""
    first = 10**10
    return [
        str(first * 10 ** (index % 3) + index * _STEP * 7919 % (9 * first))
        for index in range(count)
    ]


def measure(rows: int = PREFIXES, look_ups: int = LOOK_UPS) -> dict[str, float | int]:
    """Reads, builds and asks a deck of `rows` prefixes; seconds, microseconds, counts."""
    lines = list(deck_lines(rows))
    started = perf_counter()
    read = [row for row in read_deck(lines, {}, "UTC") if isinstance(row, RateRow)]
    was_read = perf_counter()
    deck = RateDeck("bench", 1, "USD", "UTC", 100, read)
    was_built = perf_counter()
    asked = numbers(look_ups)
    find = deck.find
    began = perf_counter()
    found = sum(find(number, 1_750_000_000_000) is not None for number in asked)
    ended = perf_counter()
    return {
        "prefixes": len(read),
        "read_s": round(was_read - started, 3),
        "build_s": round(was_built - was_read, 3),
        "look_ups": look_ups,
        "found": found,
        "look_up_us": round((ended - began) / look_ups * 1_000_000, 3),
    }


def main() -> None:
    """Prints the figures as JSON."""
    sys.stdout.write(json.dumps(measure()) + "\n")


if __name__ == "__main__":
    main()
