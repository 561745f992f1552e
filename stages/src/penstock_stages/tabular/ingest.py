"""Ingest: any CSV, NDJSON or Parquet file becomes one Parquet table, and a profile of it.

Every cell of a text format stays text, so that no cell can stop the reading; `validate` finds the types.
Outputs: `table` (Parquet), `profile` (JSON).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from penstock_stages import contract
from penstock_stages.contract import Refusal, Reply, Request, log
from penstock_stages.params import read_params
from penstock_stages.table import TABLE, as_numbers_if_text, complexity, user_columns
from penstock_stages.tabular import reading

PROFILE_ROWS = 100_000


@dataclass(frozen=True)
class Params:
    """`format` auto goes by extension and content; `delimiter` auto tries , ; tab and |."""

    format: Literal["auto", "csv", "ndjson", "parquet"] = "auto"
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    header: bool = True


def ingest(request: Request) -> Reply:
    """Reads the drop. Raises: `Refusal` for a file without rows or one that is no table."""
    params = read_params(Params, request.params)
    source = request.required("input")
    size = source.path.stat().st_size
    if size == 0:
        raise Refusal("the file is empty (0 bytes)")
    name = str(request.drop.get("name") or source.path.name)
    kind = reading.kind_of(source.path, name) if params.format == "auto" else params.format
    with contract.writing(request, TABLE) as draft:
        if kind == "parquet":
            how = reading.parquet(source.path, draft)
        elif kind == "ndjson":
            how = reading.ndjson(source.path, draft)
        else:
            how = reading.csv(source.path, draft, params.delimiter, params.header)
        rows = int(pl.scan_parquet(draft).select(pl.len()).collect().item())
        if rows == 0:
            raise Refusal("the file has a header but no rows" if kind == "csv" else "the file has no rows")
        head = pl.read_parquet(draft, n_rows=PROFILE_ROWS)
    score = round(complexity(head), 4)
    profile = {
        "name": name,
        "format": kind,
        **how,
        "rows": rows,
        "bytes": size,
        "complexity": score,
        "columns": [_column(head[column]) for column in user_columns(head)],
    }
    log(f"read {rows} rows and {len(user_columns(head))} columns of {kind}")
    return Reply(
        outputs={"table": TABLE, "profile": contract.write_json(request, "profile.json", profile)},
        metrics={"rows": rows, "columns": len(user_columns(head)), "complexity": score},
        data={"rows": rows, "bytes": size, "complexity": score},
        context={"tabular.rows": rows, "tabular.format": kind, "tabular.level.ingest": request.granularity},
    )


def _column(column: pl.Series) -> dict[str, Any]:
    typed = as_numbers_if_text(column)
    kind = "text" if typed.dtype == pl.String else "number" if typed.dtype.is_numeric() else str(typed.dtype).lower()
    present = column.drop_nulls()
    example = str(present[0])[:80] if present.len() else None
    return {
        "name": column.name,
        "kind": kind,
        "missing": column.null_count(),
        "distinct": present.n_unique(),
        "example": example,
    }


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(ingest)


if __name__ == "__main__":
    main()
