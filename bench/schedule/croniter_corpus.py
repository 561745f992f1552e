"""Writes Tests/Fixtures/croniter.txt: what croniter says of 10,000 random expressions.

    python -m venv VENV && VENV/bin/pip install -r bench/schedule/requirements.txt
    VENV/bin/python bench/schedule/croniter_corpus.py > Tests/Fixtures/croniter.txt

A line is an expression, a zone, a start and the next five slots, in minutes since 1970 UTC; slots as differences. The
day rule is that of Vixie cron (`implement_cron_bug`): a day field that begins with `*` restricts nothing. croniter
walks over local time, and zoneinfo says what moments those are: with a zone of its own croniter is an hour off wherever
a change of the clocks lies between two slots.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]
from croniter.croniter import CroniterBadDateError  # type: ignore[import-untyped]

COUNT = 10_000
SLOTS = 5
ZONES = ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]
FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def part(chance: random.Random, low: int, high: int, names: list[str]) -> str:
    """One part of a list: a number, a name, a range, or a range with a step."""
    kind = chance.random()
    first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
    if kind < 0.5 or first == last:
        return names[first - low] if names and kind < 0.2 else str(first)
    if kind < 0.8:
        return f"{names[first - low]}-{names[last - low]}" if names and kind < 0.6 else f"{first}-{last}"
    return f"{first}-{last}/{chance.randint(1, max(1, last - first))}"


def field(chance: random.Random, place: int) -> str:
    """One of the five fields."""
    low, high = FIELDS[place]
    names = {3: MONTHS, 4: WEEKDAYS}.get(place, [])
    kind = chance.random()
    if kind < 0.35:
        return "*"
    if kind < 0.5:
        return f"*/{chance.randint(2, (high - low) // 2 + 1)}"
    return ",".join(part(chance, low, high, names) for _ in range(chance.choice([1, 1, 2, 3])))


def lines() -> Iterator[str]:
    """Lines of the corpus, the same each time."""
    chance = random.Random(20261121)  # noqa: S311
    made = 0
    while made < COUNT:
        text = " ".join(field(chance, place) for place in range(5))
        zone = chance.choice(ZONES)
        start = chance.randrange(1_577_836_800, 1_893_456_000) // 60
        local = datetime.fromtimestamp(start * 60, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        walk = croniter(text, local, implement_cron_bug=True, max_years_between_matches=50)
        try:
            found = [walk.get_next(datetime) for _ in range(SLOTS)]
        except CroniterBadDateError as error:
            print(f"{text}: {error}", file=sys.stderr)
            continue
        slots = [int(slot.replace(tzinfo=ZoneInfo(zone)).timestamp()) // 60 for slot in found]
        made += 1
        steps = " ".join(str(later - earlier) for earlier, later in pairwise([start, *slots]))
        yield f"{text};{zone};{start};{steps}"


if __name__ == "__main__":
    for line in lines():
        print(line)
