"""The chain as a whole: real data at every level, and files that try to break it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from chain import STAGES, Chain

LEVELS = ("coarse", "medium", "fine")
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("level", LEVELS)
def test_breast_cancer(chain: Chain, real: Path, level: str) -> None:
    reply = chain.run(real / "breast_cancer.csv", levels=level)
    assert reply.status == "ok", reply.reason
    metrics = chain.replies["evaluate"].metrics
    assert metrics["accuracy"] > 0.9
    assert metrics["roc_auc"] > 0.95
    assert 0.55 < metrics["baseline_accuracy"] < 0.7


@pytest.mark.parametrize("level", LEVELS)
def test_diabetes(chain: Chain, real: Path, level: str) -> None:
    reply = chain.run(real / "diabetes.csv", levels=level)
    assert reply.status == "ok", reply.reason
    metrics = chain.replies["evaluate"].metrics
    assert metrics["r2"] > 0.3
    assert metrics["rmse"] < metrics["baseline_rmse"]


def test_three_classes(chain: Chain, real: Path) -> None:
    assert chain.run(real / "wine.csv", levels="fine").status == "ok"
    assert chain.replies["evaluate"].metrics["accuracy"] > 0.9


@pytest.mark.parametrize("level", LEVELS)
def test_a_price_series(chain: Chain, real: Path, level: str) -> None:
    reply = chain.run(real / "fx.csv", levels=level, params={"validate": {"task": "direction"}})
    assert reply.status == "ok", reply.reason
    assert 0.45 < chain.replies["evaluate"].metrics["accuracy"] < 0.75
    assert "in_time" in chain.replies["evaluate"].outputs


@pytest.mark.parametrize("name", ["vix-daily", "fx-monthly"])
def test_real_prices(chain: Chain, name: str) -> None:
    path = SHARED / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    assert chain.run(path, levels="fine", params={"validate": {"task": "direction"}}).status == "ok"


def test_every_stage_bypassed_that_can_be(chain: Chain, real: Path) -> None:
    off = {"clean": "off", "features": "off", "select": "off", "train": "fine"}
    assert chain.run(real / "breast_cancer.csv", levels=off).status == "ok"
    page = chain.path("report", "report").read_text()
    assert page.count("bypassed, or not in this pipeline") == 3


def test_the_whole_is_the_same_twice(chain: Chain, real: Path) -> None:
    found = []
    for name in ("a", "b"):
        chain.run(real / "wine.csv", levels="medium", sample=0.5, name=name)
        files = {stage: reply.outputs for stage, reply in chain.replies.items()}
        found.append([chain.path(s, o, name).read_bytes() for s, outputs in files.items() for o in outputs])
        found[-1].append(json.dumps([reply.to_json() for reply in chain.replies.values()]).encode())
    assert found[0] == found[1]


def test_every_reply_tells_rows_bytes_and_numbers(chain: Chain, real: Path) -> None:
    chain.run(real / "diabetes.csv", levels="fine")
    for stage in STAGES:
        reply = chain.replies[stage]
        assert {"rows", "bytes"} <= set(reply.data), stage
        if stage not in ("evaluate", "report"):
            assert 0 < reply.data["complexity"] < 1, stage
        assert reply.metrics
        assert all(isinstance(value, int | float) for value in reply.metrics.values())


def test_the_page_stands_alone(chain: Chain, real: Path) -> None:
    chain.run(real / "breast_cancer.csv", levels="medium")
    page = chain.path("report", "report").read_text()
    assert "http" not in page
    assert "<script" not in page
    assert page.count("<svg") == 2
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "on sampled data" in page
    assert "run 7" in page
    assert "accuracy 0.9" in page


def test_names_are_escaped(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "<b>&x.csv"
    evil = "<script>alert(1)</script>"
    lines = "\n".join(f"{i},{i % 3},{'no' if i % 3 else evil}" for i in range(60))
    path.write_text(f"{evil},$x^2$,target\n{lines}\n")
    reply = chain.run(path, levels="fine")
    assert reply.status == "ok", reply.reason
    page = chain.path("report", "report").read_text()
    assert "<script" not in page
    assert "&lt;b&gt;&amp;x.csv" in page


HOSTILE: dict[str, str] = {
    "infinities": "a,b,y\n"
    + "".join(f"{'inf' if i % 9 == 0 else i},{'nan' if i % 5 == 0 else i % 4},{i % 2}\n" for i in range(80)),
    "huge integers": "a,y\n" + "".join(f"{10**30 + i},{i % 2}\n" for i in range(60)),
    "a column without values": "a,b,y\n" + "".join(f"{i},,{i % 2}\n" for i in range(60)),
    "a constant column": "a,b,y\n" + "".join(f"{i},7,{i % 2}\n" for i in range(60)),
    "unicode names": "größe,名前,y\n" + "".join(f"{i},{'甲乙'[i % 2]},{i % 2}\n" for i in range(60)),
    "names with spaces and brackets": "a [m],b <c>,the target\n"
    + "".join(f"{i},{i * 3 % 7},{i % 2}\n" for i in range(60)),
    "the same name twice": "a,a,y\n" + "".join(f"{i},{i % 5},{i % 2}\n" for i in range(60)),
    "missing targets": "a,y\n" + "".join(f"{i},{'' if i % 4 == 0 else i % 2}\n" for i in range(80)),
    "a rare class": "a,y\n" + "".join(f"{i},{'rare' if i == 5 else i % 2}\n" for i in range(60)),
    "names of our own": "penstock_line,penstock_part,y\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(60)),
    "times beside numbers": "when,a,y\n" + "".join(f"2024-01-{i % 28 + 1:02},{i},{i * 1.5}\n" for i in range(60)),
    "text only": "a,b,y\n" + "".join(f"{'pqr'[i % 3]},{'st'[i % 2]},{'uv'[i % 2]}\n" for i in range(60)),
    "booleans": "a,y\n" + "".join(f"{i},{'true' if i % 2 else 'false'}\n" for i in range(60)),
    "semicolons and decimal commas": "a;b;y\n" + "".join(f"{i},5;{i % 7},25;{i % 2}\n" for i in range(60)),
}


def hostile() -> Iterator[tuple[str, str]]:
    return ((name, level) for name in HOSTILE for level in ("coarse", "fine"))


@pytest.mark.parametrize(("name", "level"), list(hostile()))
def test_odd_files_run_through(chain: Chain, tmp_path: Path, name: str, level: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(HOSTILE[name])
    reply = chain.run(path, levels=level, params={"validate": {"min_quality": 0.2}})
    assert reply.status == "ok", reply.reason


REFUSED: dict[str, tuple[str, str]] = {
    "only a header": ("a,b\n", "a header but no rows"),
    "one column": ("a\n" + "".join(f"{i}\n" for i in range(60)), "one column only"),
    "a constant target": ("a,y\n" + "".join(f"{i},1\n" for i in range(60)), "one value only (`1`)"),
    "a class with one row": (
        "a,y\n" + "".join(f"{i},{i // 59}\n" for i in range(60)),
        "no two classes have two rows or more",
    ),
    "text that never repeats": (
        "a,y\n" + "".join(f"name {i},{i % 2}\n" for i in range(60)),
        "no numeric column is left to learn from",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hopeless_files_are_refused_in_words(chain: Chain, tmp_path: Path, name: str) -> None:
    path = tmp_path / "odd.csv"
    text, words = REFUSED[name]
    path.write_text(text)
    reply = chain.run(path)
    assert reply.status == "fail"
    assert words in reply.reason


def test_json_lines_and_parquet_give_what_csv_gives(chain: Chain, real: Path, tmp_path: Path) -> None:
    table = pl.read_csv(real / "wine.csv")
    table.write_ndjson(tmp_path / "wine.ndjson")
    table.write_parquet(tmp_path / "wine.parquet")
    for name in ("wine.ndjson", "wine.parquet"):
        assert chain.run(tmp_path / name, levels="fine", name=f"run {name}").status == "ok"
        assert chain.replies["evaluate"].metrics["accuracy"] > 0.9
