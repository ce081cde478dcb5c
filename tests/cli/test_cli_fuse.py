"""``gatewise fuse`` as a person uses it: real processes, real files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import commands
import gatewise as gw
from gatewise.cli import main

pytest.importorskip("optuna")
pytest.importorskip("matplotlib")

GOALS = ("--goal", "gauc:click", "--goal", "spearman:stars", "--trials", "20")


def fuse(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return commands.run("fuse", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def workplace(feed, feed_schema, tmp_path_factory) -> Path:
    """Return a folder with rows and an artefact as it stands in a run."""
    folder = tmp_path_factory.mktemp("fuse")
    pq.write_table(feed, folder / "rows.parquet")
    schema = gw.Schema(features=feed_schema.features, tasks=feed_schema.tasks, group="user")
    model = gw.SharedBottom(bottom_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(schema, model, fusion="1 * click + 0.1 * stars", epochs=2, batch_size=256, lr=0.02)
    ranker.fit(feed.slice(0, 1500)).calibrate(feed.slice(1500), "platt").save(folder / "run" / "artefact")
    return folder


def test_the_front_is_shown_and_written_and_the_artefact_is_as_it_was(workplace):
    before = (workplace / "run" / "artefact" / "manifest.json").read_bytes()
    outputs = ("-o", "front.json", "-o", "front.csv", "-o", "front.svg", "-o", "front.png")
    done = fuse("run", "rows.parquet", *GOALS, *outputs, cwd=workplace)
    assert done.returncode == 0, done.stderr
    front = json.loads((workplace / "front.json").read_text())
    assert front["goals"] == ["gauc:click", "spearman:stars"]
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["current", *(f"{value:.4f}" for value in front["current"]["values"]), "1", "0.1"] in rows
    for point in front["front"]:
        assert any([f"{value:.4f}" for value in point["values"]] == row[-4:-2] for row in rows), point
    with (workplace / "front.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [row["expression"] for row in written[1:]] == [point["expression"] for point in front["front"]]
    assert written[0] == {
        "point": "current",
        "expression": "1 * click + 0.1 * stars",
        "gauc:click": str(front["current"]["values"][0]),
        "spearman:stars": str(front["current"]["values"][1]),
    }
    svg = ET.parse(workplace / "front.svg").getroot()
    texts = {"".join(each.itertext()) for each in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"gauc:click", "spearman:stars", "knee", "current", "front", "tried", "1"} <= texts
    assert (workplace / "front.png").read_bytes().startswith(b"\x89PNG")
    assert f"take the knee: gatewise fuse run --fusion '{front['front'][front['knee']]['expression']}'" in done.stderr
    assert "Trial" not in done.stderr
    assert "Warning" not in done.stderr
    assert (workplace / "run" / "artefact" / "manifest.json").read_bytes() == before


def test_a_chosen_point_is_written_back_and_used_by_a_fresh_process(workplace, tmp_path):
    gw.load(workplace / "run" / "artefact").save(tmp_path / "run" / "artefact")
    done = fuse("run", workplace / "rows.parquet", *GOALS, "--choose", "1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    chosen = json.loads(done.stdout)["front"][0]["expression"]
    assert f"{chosen} -> run/artefact" in done.stderr
    again = ("predict", "run", workplace / "rows.parquet", "-o", "out.parquet", "--calibrated")
    assert commands.run(*again, cwd=tmp_path).returncode == 0
    predicted = pq.read_table(tmp_path / "out.parquet")
    click, stars = gw.declare.Fusion.parse(chosen).weights
    expected = click * predicted["click"].to_numpy() + stars * predicted["stars"].to_numpy()
    assert predicted["fused"].to_numpy() == pytest.approx(expected, rel=1e-12)
    loaded, first = gw.load(tmp_path / "run" / "artefact"), gw.load(workplace / "run" / "artefact")
    assert loaded.options.fusion == chosen != first.options.fusion
    assert loaded.history == first.history
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["artefact"]


def test_an_expression_is_written_as_it_is_without_a_table(workplace, tmp_path, monkeypatch):
    gw.load(workplace / "run" / "artefact").save(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gatewise", "fuse", "model", "--fusion", "2 * click + log(stars)"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert gw.load(tmp_path / "model").options.fusion == "2 * click + log(stars)"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run"], "fuse: expected a table to judge on, or --fusion to write into the artefact"),
        (["run", "--fusion", "clik"], "fusion: 'clik' is no prediction; did you mean 'click'?"),
        (["run", "rows.parquet"], "fuse: expected a goal or more, such as gauc:click, found none"),
        (["run", "rows.parquet", *GOALS, "--range", "1:2"], "range '1:2': expected WEIGHT=LOW:HIGH, such as 2=0.1:5"),
        (
            ["run", "rows.parquet", *GOALS, "--choose", "best"],
            "choose: expected knee or the number of a point, found best",
        ),
        (["run", "rows.parquet", *GOALS, "-o", "a.gif"], "output 'a.gif': expected a file ending in .json, .csv, .svg"),
        (
            ["run", "rows.parquet", "-g", "auc:click", "-o", "a.svg"],
            "output 'a.svg': a picture shows two goals or more",
        ),
    ],
)
def test_mistakes_are_one_line(workplace, arguments, complaint, monkeypatch, capsys):
    monkeypatch.chdir(workplace)
    monkeypatch.setattr(sys, "argv", ["gatewise", "fuse", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {complaint}")


def test_ctrl_c_shows_what_was_found_and_writes_no_choice(workplace):
    before = (workplace / "run" / "artefact" / "manifest.json").read_bytes()
    # a person's signal, at a moment that is always the same
    script = """
import os, signal
import gatewise.jobs.weight_search as module
from gatewise.cli import main
step, steps = module._step, []
def signalled(*args):
    step(*args)
    steps.append(1)
    if len(steps) == 12:
        os.kill(os.getpid(), signal.SIGINT)
module._step = signalled
main()
"""
    arguments = ["fuse", "run", "rows.parquet", *GOALS, "--choose", "knee", "-o", "stopped.json"]
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=120)
    assert done.returncode == 130, done.stderr
    assert "current" in done.stdout
    assert "interrupted: this is what was found until then; the artefact is as it was" in done.stderr
    stopped = json.loads((workplace / "stopped.json").read_text())
    assert stopped["interrupted"] is True
    assert len(stopped["tried"]) == 13
    assert (workplace / "run" / "artefact" / "manifest.json").read_bytes() == before
