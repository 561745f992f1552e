"""Writes fx-synthetic.csv: an invented exchange rate, for trying Penstock without data of one's own.

1,500 weekdays from 2019-01-01. The daily log return is 0.35 of the one before plus normal noise of 0.45 %, so that
the direction of the next day can be guessed in about 6 of 10 cases; no real market is that kind. Needs only Python.
"""

import math
import random
import sys
from datetime import date, timedelta
from pathlib import Path

BARS, START, MOMENTUM, NOISE = 1500, date(2019, 1, 1), 0.35, 0.0045


def bars(seed: int = 7) -> list[str]:
    """The lines of the file, header first."""
    draw = random.Random(seed)
    day, price, change = START, 1.12, 0.0
    lines = ["date,open,high,low,close"]
    while len(lines) <= BARS:
        if day.weekday() < 5:
            change = MOMENTUM * change + draw.gauss(0, NOISE)
            opened, price = price, price * math.exp(change)
            high = max(opened, price) * (1 + abs(draw.gauss(0, NOISE / 3)))
            low = min(opened, price) * (1 - abs(draw.gauss(0, NOISE / 3)))
            lines.append(f"{day},{opened:.5f},{high:.5f},{low:.5f},{price:.5f}")
        day += timedelta(days=1)
    return lines


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("fx-synthetic.csv")
    target.write_text("\n".join(bars()) + "\n", encoding="utf-8")
