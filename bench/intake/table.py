"""The table: medians over the rounds, and the ratio to the floor of the same round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

Figures = Mapping[str, Sequence[float]]


def ratios(system: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Round by round: a machine that slows down slows both."""
    return [value / base for value, base in zip(system, floor, strict=False) if base]


def block(title: str, unit: str, figures: Figures, floors: Sequence[str], words: Callable[[float], str]) -> None:
    """Prints one scenario: the median of each system, and its ratio to each floor as median (least - most)."""
    print(f"\n{title}")
    head = "".join(f"{'x ' + floor:>32}" for floor in floors)
    print(f"  {'':<22}{unit:>12}{head}")
    for name, values in figures.items():
        if not values:
            print(f"  {name:<22}{'-':>12}")
            continue
        line = f"  {name:<22}{words(statistics.median(values)):>12}"
        for floor in floors:
            found = ratios(values, figures.get(floor, []))
            text = f"{statistics.median(found):.2f} ({min(found):.2f} - {max(found):.2f})" if found else "-"
            line += f"{text:>32}"
        print(line)
