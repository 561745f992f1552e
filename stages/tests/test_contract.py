import json
from pathlib import Path

import pytest

from chain import ByHand, Wrong
from penstock_stages.contract import (
    Input,
    Refusal,
    Reply,
    Request,
    link_on,
    parse_request,
    perform,
    write_json,
    writing,
)
from penstock_stages.params import Misuse


def test_a_request_by_hand_needs_only_a_path() -> None:
    request = parse_request('{"inputs":[{"path":"a.csv"}]}')
    assert request.inputs == (Input("input", Path("a.csv")),)
    assert (request.granularity, request.sample, request.seed) == ("coarse", 1.0, 42)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing on stdin"),
        ("{", "stdin is not JSON"),
        ("[]", "JSON array"),
        ('{"stage":{"granularity":"finest"}}', "one of coarse, medium, fine, off"),
        ('{"stage":{"granularity":"medium","sample":2}}', "a fraction"),
        ('{"stage":{"seed":"x"}}', "whole number"),
        ('{"inputs":{"a":1}}', "should be an array"),
        ('{"inputs":[{"name":"x"}]}', "object with a `path`"),
        ('{"context":[]}', "should be an object"),
    ],
)
def test_a_bad_request_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(Misuse, match=words):
        parse_request(text)


def test_the_sample_counts_at_medium_only() -> None:
    assert parse_request('{"stage":{"granularity":"fine","sample":0.2}}').sample == 1.0
    assert parse_request('{"stage":{"granularity":"medium","sample":0.3}}').sample == 0.3
    assert parse_request('{"stage":{"granularity":"medium"}}').sample == 0.2


def test_a_missing_input_names_what_there_is() -> None:
    request = Request("train", inputs=(Input("model", Path("m")),))
    with pytest.raises(Misuse, match="it was given: model"):
        request.required("table")


def test_inputs_of_the_same_name_are_told_apart_by_stage(tmp_path: Path) -> None:
    first, second = Input("metrics", tmp_path / "a", "train"), Input("metrics", tmp_path / "b", "evaluate")
    request = Request("report", inputs=(first, second))
    assert request.optional("metrics", "train") == first
    assert request.optional("metrics") == second


def test_numbers_that_are_not_finite_are_left_out() -> None:
    reply = Reply(metrics={"a": 1, "b": float("nan"), "c": float("inf"), "d": 0.5})
    assert reply.to_json()["metrics"] == {"a": 1, "d": 0.5}


def test_a_data_problem_is_a_reply() -> None:
    def stage(_: Request) -> Reply:
        raise Refusal("no rows")

    assert perform(stage, Request("x")).to_json() == {
        "status": "fail", "reason": "no rows", "error": "data", "outputs": [], "metrics": {}, "data": {}, "context": {},
    }  # fmt: skip


def test_an_output_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    request = Request("x", out=tmp_path)

    def half() -> None:
        with writing(request, "a.txt") as draft:
            draft.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert list(tmp_path.iterdir()) == []


def test_passing_on_links_and_does_not_copy(tmp_path: Path) -> None:
    source = tmp_path / "in.bin"
    source.write_bytes(b"x")
    out = tmp_path / "out"
    out.mkdir()
    link_on(Request("x", out=out), Input("table", source), "table")
    assert (out / "table").stat().st_ino == source.stat().st_ino


def test_json_is_the_same_bytes_for_the_same_content(tmp_path: Path) -> None:
    request = Request("x", out=tmp_path)
    write_json(request, "a.json", {"b": 1, "a": "é"})
    first = (tmp_path / "a.json").read_bytes()
    write_json(request, "a.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == first


@pytest.mark.parametrize("stdin", ["", "{", '{"inputs":[{"path":"nowhere.csv"}]}', '{"out":"/nowhere"}'])
def test_by_hand_errors_are_one_line_and_exit_2(by_hand: ByHand, stdin: str) -> None:
    done = by_hand("ingest", stdin)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_by_hand_a_reply_is_one_line_of_json(by_hand: ByHand, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    done = by_hand("ingest", '{"inputs":[{"path":"a.csv"}]}')
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"][0] == {"name": "table", "path": "table.parquet"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "profile.json", "table.parquet"]


def test_unknown_parameters_name_the_nearest(wrong: Wrong, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    body = {"inputs": [{"path": "a.csv"}], "stage": {"params": {"delimeter": ","}}}
    assert "did you mean `delimiter`?" in wrong("ingest", body)
    body = {"inputs": [{"path": "a.csv"}], "stage": {"params": {"header": "yes"}}}
    assert "parameter `header` is `yes`; it should be true or false" in wrong("ingest", body)
