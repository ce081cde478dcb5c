"""Every kind stands wherever kinds of its sort belong; what is missing is named with its place."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

import gatewise as gw
from gatewise import balance, calibration, declare, metrics, nn
from gatewise.assembly.model import STATEFUL, STATELESS
from gatewise.assembly.trunks import GATES, TRUNKS
from gatewise.data.columns.kinds import COLUMNS
from gatewise.data.labels.kinds import ENCODERS
from gatewise.declare.features import KINDS
from gatewise.own_kinds import DOORS
from gatewise.report.sections import SECTIONS
from gatewise.tasks import LATE

ROOT = Path(__file__).resolve().parent.parent


def kinds_of(annotation: Any) -> dict[str, type]:
    """Return the declarations of an open union of ours, by kind."""
    found: dict[str, type] = {}
    for part in get_args(annotation) or ():
        if isinstance(part, type) and "kind" in {option.name for option in fields(part)}:
            found[next(option.default for option in fields(part) if option.name == "kind")] = part
        else:
            found |= kinds_of(part)
    return found


def text(*parts: str) -> str:
    return (ROOT.joinpath(*parts)).read_text(encoding="utf-8")


def missing() -> Iterator[str]:
    """Yield every place that lacks a kind, the places in the order in which one would go through them."""
    public, tests = set(gw.__all__), "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for kind, cls in kinds_of(declare.AnyArchitecture).items():
        yield from _in(TRUNKS, cls, f"architecture {kind!r}: a line in TRUNKS, gatewise/assembly/trunks.py")
        yield from _in(public, cls.__name__, f"architecture {kind!r}: {cls.__name__} in gatewise/__init__.pyi")
        yield from _there(ROOT / "recipes" / f"{kind}.yaml", f"architecture {kind!r}: a recipe")
        page = "ple" if kind == "cgc" else "mmoe" if kind == "omoe" else kind
        yield from _there(ROOT / "docs" / "trunks" / f"{page}.md", f"architecture {kind!r}: a page in docs/trunks")
        row = f"({page}.md)"
        yield from _in(text("docs", "trunks", "README.md"), row, f"architecture {kind!r}: docs/trunks/README.md")
        yield from _in(vars(nn), cls.__name__, f"architecture {kind!r}: a trunk {cls.__name__} in gatewise/nn/trunks")
    for kind, cls in kinds_of(declare.AnyBalance).items():
        built = kind in ("static", "tuned_static", "uncertainty") or cls in STATELESS or cls in STATEFUL
        yield from [] if built else [f"rule {kind!r}: STATELESS or STATEFUL in gatewise/assembly/model.py"]
        yield from _in(public, cls.__name__, f"rule {kind!r}: {cls.__name__} in gatewise/__init__.pyi")
        yield from _in(text("docs", "balancing.md"), f"`{kind}`", f"rule {kind!r}: a row in docs/balancing.md")
        if kind != "tuned_static":
            yield from _in(vars(balance), cls.__name__, f"rule {kind!r}: a class in gatewise/balance")
    for kind, cls in kinds_of(declare.AnyGate).items():
        yield from _in(GATES, cls, f"gate {kind!r}: a line in GATES, gatewise/assembly/trunks.py")
        yield from _in(text("docs", "gates.md"), kind, f"gate {kind!r}: docs/gates.md")
    for kind, cls in kinds_of(declare.AnyExpert).items():
        yield from _in(
            text("src", "gatewise", "assembly", "experts.py"),
            f"declare.{cls.__name__}(",
            f"expert {kind!r}: a case in assembly/experts.py",
        )
        yield from _in(text("docs", "experts.md"), kind, f"expert {kind!r}: docs/experts.md")
    for kind, cls in kinds_of(declare.Task).items():
        yield from _in(ENCODERS, cls, f"task {kind!r}: a line in ENCODERS, gatewise/data/labels/kinds.py")
        yield from _in(
            text("src", "gatewise", "assembly", "tasks.py"),
            f"declare.{cls.__name__}(",
            f"task {kind!r}: a case in assembly/tasks.py",
        )
        yield from _in(text("docs", "tasks.md"), cls.__name__, f"task {kind!r}: a row in docs/tasks.md")
    for late in LATE:
        options = get_args(inspect.get_annotations(declare.Binary, eval_str=True)["late"])
        yield from _in(options, late, f"late {late!r}: the option late of gatewise/declare/tasks/binary.py")
        yield from _in(text("docs", "tasks.md"), f"`{late}`", f"late {late!r}: a row in docs/tasks.md")
    for kind, cls in kinds_of(declare.Feature).items():
        yield from _in(KINDS, kind, f"feature {kind!r}: KINDS in gatewise/declare/features.py")
        yield from _in(COLUMNS, cls, f"feature {kind!r}: a line in COLUMNS, gatewise/data/columns/kinds.py")
        yield from _in(public, cls.__name__, f"feature {kind!r}: {cls.__name__} in gatewise/__init__.pyi")
    for method in calibration.methods.METHODS:
        yield from _in(
            get_args(inspect.get_annotations(declare.Calibration, eval_str=True)["method"]),
            method,
            f"calibrator {method!r}: declare/calibration.py",
        )
        yield from _in(text("docs", "judging.md"), method, f"calibrator {method!r}: docs/judging.md")
    for name, metric in vars(metrics).items():
        if isinstance(metric, metrics.Metric):
            yield from _in(
                text("docs", "judging.md") + text("docs", "tasks.md"),
                metric.name,
                f"metric {metric.name!r}: docs/judging.md",
            )
            yield from _in(tests, name, f"metric {metric.name!r}: a test in tests/metrics")
    for place in DOORS:
        yield from _in(text("docs", "extending.md"), place, f"door {place!r}: docs/extending.md")
    rows = re.findall(r"^\| (?!section|-)", text("docs", "report.md").partition("| section |")[2], re.MULTILINE)
    if len(rows) != len(SECTIONS):
        yield f"sections of the report: docs/report.md has {len(rows)} rows for {len(SECTIONS)}"


def _in(where: Any, what: Any, place: str) -> list[str]:
    return [] if what in where else [place]


def _there(path: Path, place: str) -> list[str]:
    return [] if path.exists() else [place]


def test_no_kind_is_missing_anywhere() -> None:
    lacking = list(missing())
    assert not lacking, "\n".join(lacking)


def test_what_misses_a_place_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TRUNKS, declare.PLE)
    monkeypatch.delitem(COLUMNS, declare.Vector)
    assert list(missing()) == [
        "architecture 'ple': a line in TRUNKS, gatewise/assembly/trunks.py",
        "feature 'vector': a line in COLUMNS, gatewise/data/columns/kinds.py",
    ]


def test_contributing_names_places_that_are_there() -> None:
    named = re.findall(
        r"`(gatewise/[\w/.]+|tests/[\w/.]+|docs/[\w/.]+|recipes[\w/.]*|scripts/[\w/.]+)`", text("CONTRIBUTING.md")
    )
    assert len(named) > 20
    lost = [place for place in named if not any((ROOT / top / place).exists() for top in ("", "src"))]
    assert not lost, lost
