"""Which test proves which case of the fault catalogue: every id must stand in a test, or be excused in docs/reliability.md.

Prints the table that docs/reliability.md holds; `--check` compares and ends with 1 where something is missing.
"""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/reliability.md"
IDS = [f"I{n:02}" for n in range(1, 30)] + [f"C{n:02}" for n in range(1, 9)] + [f"S{n:02}" for n in range(1, 16)]
IDS += [f"P{n:02}" for n in range(1, 18)]
BEGIN, END = "<!-- faults: made by bench/faults.py -->", "<!-- end of faults -->"


def tests() -> dict[str, set[str]]:
    """The files whose tests carry an id, by id."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "Tests").rglob("*.swift")):
        for name in re.findall(r"@Test[^`]*func `([^`]*)`", path.read_text(), re.DOTALL):
            for fault in re.findall(r"\b[ICSP]\d\d\b", name):
                found.setdefault(fault, set()).add(path.stem)
    harness = "".join(path.read_text() for path in (ROOT / "bench/torture").glob("*.py"))
    for fault in re.findall(r"\b[ICSP]\d\d\b", harness):
        found.setdefault(fault, set()).add("make torture")
    return found


def excused() -> set[str]:
    """The ids that the document excuses: lines of its section that begin with `- **I02**`."""
    return set(re.findall(r"^- \*\*([ICSP]\d\d)\*\*", DOCUMENT.read_text(), re.MULTILINE))


def table(found: dict[str, set[str]], excuses: set[str]) -> str:
    rows = ["| id | test |", "|---|---|"]
    for fault in IDS:
        where = ", ".join(sorted(found.get(fault, set()))) or ("excused" if fault in excuses else "none")
        rows.append(f"| {fault} | {where} |")
    return "\n".join(rows)


def main() -> int:
    found, excuses = tests(), excused()
    text = DOCUMENT.read_text()
    made = f"{BEGIN}\n{table(found, excuses)}\n{END}"
    fresh = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: made, text, flags=re.DOTALL)
    missing = [fault for fault in IDS if fault not in found and fault not in excuses]
    if missing:
        print(f"faults: no test carries {', '.join(missing)}", file=sys.stderr)
    if len(excuses) > 5:
        print(f"faults: {len(excuses)} are excused, five are the most", file=sys.stderr)
    if "--check" not in sys.argv:
        DOCUMENT.write_text(fresh)
    elif fresh != text:
        print("faults: the table in docs/reliability.md is old: run bench/faults.py", file=sys.stderr)
        return 1
    return 1 if missing or len(excuses) > 5 else 0


if __name__ == "__main__":
    sys.exit(main())
