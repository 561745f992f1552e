"""Reading files of unknown make into Parquet: CSV, NDJSON, Parquet.

Each reader writes the table to `target` with the line numbers of the file in `penstock_line`, and returns what it
found out about the format. All raise `Refusal` with a sentence for the person who dropped the file.
"""

from __future__ import annotations

import csv as stdcsv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from penstock_stages.contract import Refusal, log
from penstock_stages.table import LINE, OWN, first_line

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 65_536
NDJSON_BATCH = 50_000
ROW = "\x00row"
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".ndjson": "ndjson", ".jsonl": "ndjson"}


def kind_of(path: Path, name: str) -> str:
    """`csv`, `ndjson` or `parquet`, by the first bytes, then the extension of `name`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head[:4] == b"PAR1":
        return "parquet"
    if Path(name).suffix.lower() in ENDINGS:
        return ENDINGS[Path(name).suffix.lower()]
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"{" and _is_object(start.splitlines()[0]):
        return "ndjson"
    if start[:1] == b"[" and name.lower().endswith(".json"):
        raise Refusal("the file is one JSON array; JSON Lines (one object per line) can be read")
    return "csv"


def parquet(source: Path, target: Path) -> dict[str, Any]:
    """A Parquet file, its types kept; columns of lists, structs and bytes are left out, which the log says."""
    try:
        scan = pl.scan_parquet(source)
        schema = scan.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Refusal(f"the file is not a Parquet file that can be read: {first_line(error)}") from None
    simple = [n for n, t in schema.items() if not (t.is_nested() or t in (pl.Binary, pl.Object)) and n not in OWN]
    left_out = [n for n in schema.names() if n not in simple]
    if left_out:
        log(f"left out, not plain values: {', '.join(left_out)}")
    if not simple:
        raise Refusal("the file has no column of plain values")
    plain = scan.select(simple).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    _sink(plain.with_row_index(LINE, offset=1), target)
    return {"lines": "rows", "left_out": left_out}


def ndjson(source: Path, target: Path) -> dict[str, Any]:
    """JSON Lines: one object per line; every value becomes text, nested ones as JSON."""
    frames = [pl.DataFrame(batch, schema=dict.fromkeys(batch, pl.String)) for batch in _ndjson_batches(source)]
    if not frames:
        raise Refusal("the file has no rows")
    table = pl.concat(frames, how="diagonal").with_columns(pl.col(LINE).cast(pl.UInt32))
    if table.width == 1:
        raise Refusal("the objects in the file have no fields")
    table.select(LINE, pl.exclude(LINE)).write_parquet(target)
    return {"lines": "exact"}


def csv(source: Path, target: Path, delimiter: str, header: bool) -> dict[str, Any]:
    """Delimited text: the delimiter found by trial, a BOM, other encodings and quotes understood."""
    source, encoding, temporary = _as_utf8(source, target)
    try:
        separator = _sniff(source) if delimiter == "auto" else delimiter
        names, skip, first = _names(source, separator, header)
        ragged = False
        try:
            _sink_csv(source, target, separator, names, header, skip, first, truncate=False)
        except pl.exceptions.PolarsError as error:
            _explain(source, separator, len(names), error)
            ragged = True
            _sink_csv(source, target, separator, names, header, skip, first, truncate=True)
        exact = _count(source, b'"') == 0 or _count(source, b"\n") <= _last_line(target)
    finally:
        if temporary:
            source.unlink(missing_ok=True)
    return {
        "delimiter": separator,
        "encoding": encoding,
        "lines": "exact" if exact else "rows",
        "trailing_delimiters": ragged,
    }


def _sink_csv(
    source: Path, target: Path, separator: str, names: list[str], header: bool, skip: int, first: int, truncate: bool
) -> None:
    scan = pl.scan_csv(
        source,
        separator=separator,
        has_header=header,
        skip_lines=skip,
        infer_schema=False,
        truncate_ragged_lines=truncate,
        row_index_name=ROW,
        row_index_offset=first,
    )
    found = scan.collect_schema().names()[1:]
    if len(found) != len(names):
        raise Refusal(f"the header cannot be read as CSV: {len(names)} or {len(found)} columns")
    plain = scan.select(
        pl.col(ROW).alias(LINE), *(pl.col(old).alias(new) for old, new in zip(found, names, strict=True))
    )
    blank = pl.all_horizontal(pl.exclude(LINE).is_null())
    _sink(plain.filter(~blank), target)


def _sink(scan: pl.LazyFrame, target: Path) -> None:
    scan.sink_parquet(target, compression="zstd", compression_level=1)


def _last_line(target: Path) -> int:
    return int(pl.scan_parquet(target).select(pl.col(LINE).max().fill_null(0)).collect().item())


def _count(source: Path, byte: bytes) -> int:
    with source.open("rb") as file:
        return sum(block.count(byte) for block in iter(lambda: file.read(1 << 20), b""))


def _as_utf8(source: Path, target: Path) -> tuple[Path, str, bool]:
    """The file itself where polars can read it, else a copy in UTF-8 beside `target`."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    encoding = next((name for bom, name in BOMS.items() if head.startswith(bom)), "")
    if not encoding:
        if b"\x00" in head:
            raise Refusal("the file is not text: it has NUL bytes; CSV, JSON Lines and Parquet can be read")
        encoding = "utf-8" if _is_utf8(source) else "cp1252"
    line_ends = b"\n" not in head and b"\r" in head
    if encoding == "utf-8" and not line_ends:
        return source, encoding, False
    if encoding == "cp1252":
        log("the file is not UTF-8; it is read as Windows-1252")
    copy = target.with_name(".utf8.part")
    try:
        with source.open(encoding=encoding, errors="replace") as old, copy.open("w", encoding="utf-8") as new:
            for block in iter(lambda: old.read(1 << 20), ""):
                new.write(block)
    except UnicodeError:
        raise Refusal(f"the file says that it is {encoding} but cannot be decoded") from None
    return copy, encoding.removesuffix("-sig"), True


def _is_utf8(source: Path) -> bool:
    try:
        with source.open(encoding="utf-8") as file:
            for _ in iter(lambda: file.read(1 << 20), ""):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _sample_lines(source: Path) -> list[str]:
    with source.open(encoding="utf-8", errors="replace", newline="") as file:
        text = file.read(HEAD_BYTES)
    lines = text.splitlines()
    return lines[:-1] if len(text) == HEAD_BYTES and len(lines) > 1 else lines


def _sniff(source: Path) -> str:
    """The delimiter that cuts most of the first lines into the same number of fields, two or more."""
    lines = [line for line in _sample_lines(source) if line.strip()][:200]

    def score(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in stdcsv.reader(lines, delimiter=delimiter))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        header = len(next(stdcsv.reader(lines[:1], delimiter=delimiter), []))
        agrees = count / max(1, len(lines)) + (0.5 if header == width else 0)
        return (agrees if width > 1 else 0.0, width)

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] > 0 else _header_delimiter(lines)


def _header_delimiter(lines: list[str]) -> str:
    header = lines[0] if lines else ""
    return max(DELIMITERS, key=header.count) if lines else ","


def _names(source: Path, separator: str, header: bool) -> tuple[list[str], int, int]:
    """Column names, unique and never empty, how many blank lines come first, and the line of the first row."""
    skip = 0
    with source.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = stdcsv.reader(file, delimiter=separator)
        try:
            for row in rows:
                if any(field.strip() for field in row):
                    break
                skip = rows.line_num
            else:
                raise Refusal("the file has nothing but blank lines")
        except stdcsv.Error as error:
            raise Refusal(f"the first line cannot be read as CSV: {error}") from None
        after = rows.line_num
    if not header:
        return [f"column_{n}" for n in range(1, len(row) + 1)], skip, skip + 1
    return unique_names(row), skip, after + 1


def unique_names(raw: list[str]) -> list[str]:
    """Names stripped, empty ones called `column_N`, repeated and reserved ones numbered: `a`, `a_2`."""
    names: list[str] = []
    taken = set(OWN)
    for place, field in enumerate(raw, 1):
        base = " ".join(field.split()) or f"column_{place}"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        if count > 1:
            log(f"column {place} is the {count}. called `{base}`; it is now `{name}`")
        taken.add(name)
        names.append(name)
    return names


def _explain(source: Path, separator: str, width: int, error: Exception) -> None:
    """Finds the line polars stumbled over; returns only if all that is too much are empty fields at the end."""
    stdcsv.field_size_limit(1 << 30)
    with source.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = stdcsv.reader(file, delimiter=separator, strict=True)
        start = 1
        try:
            for row in rows:
                if any(field.strip() for field in row[width:]):
                    raise Refusal(f"line {rows.line_num} has {len(row)} fields, but the header has {width}")
                start = rows.line_num + 1
        except stdcsv.Error as trouble:
            detail = "a quote is opened and not closed" if "end of data" in str(trouble) else str(trouble)
            raise Refusal(f"the CSV breaks at line {start}: {detail}") from None
    if "more fields" not in str(error):
        raise Refusal(f"the file cannot be read as CSV: {first_line(error)}")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _ndjson_batches(source: Path) -> Iterator[dict[str, list[str | None]]]:
    columns: dict[str, list[str | None]] = {LINE: []}
    with source.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise Refusal(f"line {number} is not JSON: {error.msg}, column {error.colno}") from None
            if not isinstance(record, dict):
                raise Refusal(f"line {number} is not a JSON object")
            count = len(columns[LINE])
            columns[LINE].append(str(number))
            for key, value in record.items():
                if key not in OWN:
                    cells = columns.setdefault(key, [None] * count)
                    cells.append(_text(value))
            for cells in columns.values():
                if len(cells) == count:
                    cells.append(None)
            if count + 1 == NDJSON_BATCH:
                yield columns
                columns = {LINE: []}
    if columns[LINE]:
        yield columns


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
