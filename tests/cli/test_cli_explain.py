"""``gatewise explain`` as a person uses it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.cli import main


@pytest.fixture
def place(fitted: gw.Ranker, feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an artefact and a table, and go there."""
    fitted.save(tmp_path / "model")
    pq.write_table(feed, tmp_path / "feed.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gatewise", "explain", "model", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_a_row_of_a_table(place: Path, fitted: gw.Ranker, feed, capsys, monkeypatch) -> None:
    code, shown, _ = run(capsys, monkeypatch, "--row", "5", "--table", "feed.parquet", "--top", "2")
    assert code == 0
    lines = [line.split() for line in shown.splitlines() if line.strip()]
    predicted = fitted.predict(feed.slice(5, 1)).to_pylist()[0]
    assert lines[0] == ["row", "5", "of", "feed.parquet"]
    assert ["click", f"{predicted['click']:.4f}"] in lines
    for parts in fitted.explain(5, feed).scores:
        start = lines.index([f"{parts.score}:", "score", f"{parts.value:+.4f}"])
        below = lines[start : start + 13]
        for part in parts.experts:
            (line,) = (line for line in below if line[:2] == part.expert.split())
            assert line[2:4] == [f"{part.weight:.3f}", f"{part.contribution:+.4f}"]
        first = parts.features[0]
        (line,) = (line for line in below if line[0] == first.feature)
        assert f"{first.contribution:+.4f}" in line
        # the bar is on the side of the sign, the longest one whole
        assert ("|" + "█" * 12 if first.contribution > 0 else "█" * 12 + "|") in line
        rest = sum(part.contribution for part in parts.features[2:])
        (line,) = (line for line in below if line[:2] == ["(2", "others)"])
        assert line[2] == f"{rest:+.4f}"
        (line,) = (line for line in below if line[:2] == ["(mean", "of"])
        assert line[-1] == f"{parts.background:+.4f}"


def test_values_as_json(place: Path, fitted: gw.Ranker, capsys, monkeypatch) -> None:
    values = {"user": 10_000_000_003, "item": "i4", "tags": ["a"], "price": None}
    code, shown, _ = run(capsys, monkeypatch, "--row", json.dumps(values), "--json")
    found = json.loads(shown)
    assert code == 0
    assert found["row"] == values
    assert found["predictions"] == pytest.approx(fitted.explain(values).predictions)
    assert found["calibrated"] is None
    code, shown, _ = run(capsys, monkeypatch, "--row", json.dumps(values))
    assert "there are no other rows to hold the features against" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--row", "2000", "--table", "feed.parquet"), "row 2000: expected a number from 0 to 1999"),
        (("--row", "1"), "row 1: expected a table to take it from, found none"),
        (("--row", '{"user": 1'), "--row: expected a number, or JSON such as"),
        (("--row", "[1]"), "--row: expected a number, or values by column, found list [1]"),
        (("--row", "1.5"), "--row: expected a number, or values by column, found float 1.5"),
        (("--row", '{"usr": 1}'), "row: no column 'usr' is read; did you mean 'user'"),
        (("--row", "1", "--table", "fed.parquet"), "did you mean 'feed.parquet'"),
    ],
)
def test_one_line_says_what_is_wrong(place: Path, capsys, monkeypatch, arguments, message: str) -> None:
    code, _, complaint = run(capsys, monkeypatch, *arguments)
    assert code == 1
    assert complaint.startswith("error: ")
    assert message in complaint
    assert complaint.count("\n") == 1
