"""Writes one of scikit-learn's bundled real data sets as CSV, with the column `target`; needs no network.

stages/.venv/bin/python samples/export.py breast_cancer inbox/classify-breast-cancer.csv
"""

import csv
import sys
from pathlib import Path

from sklearn import datasets

SETS = {
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "digits": datasets.load_digits,
    "wine": datasets.load_wine,
}


def export(name: str, target: Path) -> int:
    """Writes the data set called `name`, whole or not at all; returns the number of rows."""
    data = SETS[name]()
    kinds = [str(kind) for kind in getattr(data, "target_names", [])]
    draft = target.with_name(f".{target.name}.part")
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*data.feature_names, "target"])
        for row, label in zip(data.data.tolist(), data.target.tolist(), strict=True):
            writer.writerow([*row, kinds[label] if kinds else label])
    draft.replace(target)
    return len(data.data)


def main(arguments: list[str]) -> int:
    """The program; returns its exit code."""
    if len(arguments) != 2 or arguments[0] not in SETS:
        print(f"usage: export.py {{{','.join(SETS)}}} OUT.csv", file=sys.stderr)
        return 2
    target = Path(arguments[1])
    if not target.parent.is_dir():
        print(f"no such directory: {target.parent}", file=sys.stderr)
        return 2
    print(f"{export(arguments[0], target)} rows written to {target}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
