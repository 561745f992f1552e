"""The manifests say the same as the code: parameters, defaults, levels, and the files a stage is made of."""

import ast
import dataclasses
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import yaml

from chain import PASSED_ON, SPLITS, STAGES

KIT = Path(__file__).parents[1]
SOURCE = KIT / "src" / "penstock_stages"
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object"}


def manifest(stage: str) -> dict[str, Any]:
    text = (KIT / "tabular" / f"{stage}.yaml").read_text(encoding="utf-8")
    body: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)
    assert isinstance(yaml.safe_load(text), dict)
    return body


def imported(file: Path) -> set[Path]:
    """The kit's own files that `file` imports, and theirs."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("penstock_stages")):
            continue
        base = SOURCE.joinpath(*node.module.split(".")[1:])
        for target in [base.with_suffix(".py"), base / "__init__.py", *(base / f"{a.name}.py" for a in node.names)]:
            if target.is_file() and target not in found:
                found |= {target} | imported(target)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_and_defaults_are_those_of_the_code(stage: str) -> None:
    params = import_module(f"penstock_stages.tabular.{stage}").Params
    hints = get_type_hints(params)
    text = (KIT / "tabular" / f"{stage}.yaml").read_text(encoding="utf-8")
    stated = yaml.safe_load(text)["params"]
    assert stated["additionalProperties"] is False
    defaults = dataclasses.asdict(params())
    assert list(stated["properties"]) == list(defaults)
    for name, schema in stated["properties"].items():
        assert schema["default"] == defaults[name], name
        assert schema["description"]
        if get_origin(hints[name]) is Literal:
            assert schema["enum"] == list(get_args(hints[name]))
        else:
            assert schema["type"] == TYPES[get_origin(hints[name]) or hints[name]], name


@pytest.mark.parametrize("stage", STAGES)
def test_a_manifest_is_whole(stage: str) -> None:
    body = manifest(stage)
    assert body["stage"] == f"tabular/{stage}"
    assert body["run"] == ["${kit}/.venv/bin/python", "-m", f"penstock_stages.tabular.{stage}"]
    levels = {"coarse", "medium", "fine"} if stage in ("clean", "features", "select", "train") else {"coarse"}
    levels |= {"off"} if stage in PASSED_ON else set()
    assert set(body["granularity"]) == levels
    assert body.get("splits") == ("true" if stage in SPLITS else None)
    if "fine" in levels:
        assert body["granularity"]["fine"].startswith("the simplified algorithm")
    assert tuple(body.get("passthrough", ())) == PASSED_ON.get(stage, ())


@pytest.mark.parametrize("stage", STAGES)
def test_the_files_are_all_that_the_stage_imports(stage: str) -> None:
    stated = {KIT / name for name in manifest(stage)["files"]}
    assert all(file.is_file() for file in stated)
    main = SOURCE / "tabular" / f"{stage}.py"
    needed = imported(main) | {main, SOURCE / "__init__.py", SOURCE / "tabular" / "__init__.py"}
    assert {f.name for f in needed - stated} == set()
    assert {f.name for f in stated - needed} <= {"requirements.txt", "report.html.j2"}
