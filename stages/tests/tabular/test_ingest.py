import json
from pathlib import Path

import polars as pl
import pytest

from chain import Chain
from penstock_stages.contract import Reply
from penstock_stages.table import LINE
from penstock_stages.tabular.reading import unique_names


def read(chain: Chain, tmp_path: Path, content: bytes, name: str = "d.csv", **params: object) -> pl.DataFrame:
    path = tmp_path / name
    path.write_bytes(content)
    reply = chain.run(path, "ingest", params={"ingest": params})
    assert reply.status == "ok", reply.reason
    return pl.read_parquet(chain.path("ingest", "table"))


def refuse(chain: Chain, tmp_path: Path, content: bytes, name: str = "d.csv") -> str:
    path = tmp_path / name
    path.write_bytes(content)
    reply: Reply = chain.run(path, "ingest")
    assert reply.status == "fail"
    return reply.reason


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(chain: Chain, tmp_path: Path, delimiter: str) -> None:
    text = f"a{delimiter}b\n1{delimiter}x\n2{delimiter}y\n"
    table = read(chain, tmp_path, text.encode())
    assert table.to_dict(as_series=False) == {LINE: [2, 3], "a": ["1", "2"], "b": ["x", "y"]}


def test_decimal_commas_do_not_fool_the_delimiter(chain: Chain, tmp_path: Path) -> None:
    table = read(chain, tmp_path, b"a;b\n1,5;2,5\n3,5;4,5\n")
    assert table["b"].to_list() == ["2,5", "4,5"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffä,b\n1,2\n".encode(),
        "ä,b\n1,2\n".encode("utf-16"),
        "ä,b\n1,2\n".encode("cp1252"),
        "ä,b\r\n1,2\r\n".encode(),
        "ä,b\r1,2\r".encode(),
        "\n\nä,b\n1,2".encode(),
        "ä,b\n1,2,\n".encode(),
    ],
    ids=["bom", "utf-16", "cp1252", "crlf", "cr", "blank lines first", "trailing delimiter"],
)
def test_ways_to_write_the_same_table(chain: Chain, tmp_path: Path, content: bytes) -> None:
    table = read(chain, tmp_path, content)
    assert table.drop(LINE).to_dict(as_series=False) == {"ä": ["1"], "b": ["2"]}


def test_quotes_and_line_numbers(chain: Chain, tmp_path: Path) -> None:
    table = read(chain, tmp_path, b'a,b\n1,"x, ""y"""\n\n2,z\n')
    assert table["b"].to_list() == ['x, "y"', "z"]
    assert table[LINE].to_list() == [2, 4]
    profile = json.loads(chain.path("ingest", "profile").read_text())
    assert profile["lines"] == "exact"


def test_without_a_header(chain: Chain, tmp_path: Path) -> None:
    table = read(chain, tmp_path, b"1,2\n3,4\n", header=False)
    assert table.columns == [LINE, "column_1", "column_2"]
    assert table[LINE].to_list() == [1, 2]


def test_names_become_unique() -> None:
    raw = ["a", "a", "", " a  b ", LINE, "a_2"]
    assert unique_names(raw) == ["a", "a_2", "column_3", "a b", f"{LINE}_2", "a_2_2"]


def test_json_lines(chain: Chain, tmp_path: Path) -> None:
    content = b'{"a":1,"b":"x"}\n\n{"b":null,"c":[1,2]}\n'
    table = read(chain, tmp_path, content, "d.ndjson")
    assert table.to_dict(as_series=False) == {
        LINE: [1, 3], "a": ["1", None], "b": ["x", None], "c": [None, "[1, 2]"],
    }  # fmt: skip


def test_parquet_keeps_its_types(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    pl.DataFrame({"a": [1, 2], "b": [[1], [2]], "c": ["x", "y"]}).write_parquet(path)
    table = read(chain, tmp_path, path.read_bytes(), "renamed.dat")
    assert table.schema["a"] == pl.Int64
    assert "b" not in table.columns


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "d.csv", "the file is empty (0 bytes)"),
        (b"a,b\n", "d.csv", "a header but no rows"),
        (b"\n\n\n", "d.csv", "nothing but blank lines"),
        (b"a,b\n1,2\n3,4,5\n", "d.csv", "line 3 has 3 fields, but the header has 2"),
        (b'a,b\n1,"x\n3,4\n', "d.csv", "line 2: a quote is opened and not closed"),
        (b"a,b\n\x00\x01\x02", "d.csv", "NUL bytes"),
        (b'{"a":1}\n{"a":', "d.jsonl", "line 2 is not JSON"),
        (b"[1]\n", "d.jsonl", "line 1 is not a JSON object"),
        (b'[{"a":1}]', "d.json", "JSON Lines"),
        (b"PAR1xxxx", "d.parquet", "not a Parquet file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    chain: Chain, tmp_path: Path, content: bytes, name: str, words: str
) -> None:
    reason = refuse(chain, tmp_path, content, name)
    assert words in reason
    assert str(tmp_path) not in reason
