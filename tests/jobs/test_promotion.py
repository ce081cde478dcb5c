"""A model takes the place of another one if it is whole, finite and not worse; nothing else changes the pointer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

import gatewise as gw
from gatewise.cli import main
from gatewise.errors import ArtefactError, DeclarationError, InUseError, TableError
from gatewise.jobs import RunRecord, promote, record_run, roll_back
from gatewise.promoted import POINTER, Pointer, checksum


@pytest.fixture(scope="module")
def made(feed, feed_schema, tmp_path_factory) -> Path:
    """Return a folder with a good run, a better one, and one that has learnt nothing."""
    folder = tmp_path_factory.mktemp("made")
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    for name, epochs, lr in (("good", 3, 0.02), ("better", 6, 0.02), ("worse", 1, 1e-5)):
        ranker = gw.Ranker(feed_schema, model, epochs=epochs, batch_size=128, lr=lr, seed=1)
        ranker.fit(feed.slice(0, 1500), progress=False).save(folder / name / "artefact")
        record_run(ranker, folder / name)
    pq.write_table(feed.slice(1500), folder / "canary.parquet")
    return folder


@pytest.fixture
def runs(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))


def current(runs: Path) -> str:
    found = Pointer.read(runs).current
    assert found is not None
    return Path(found.run).name


def test_what_is_not_worse_takes_the_place_and_is_taken_back(runs):
    canary = runs / "canary.parquet"
    first = promote(runs / "good")
    assert (first.outcome, first.before, first.judged) == ("promoted", None, [])
    assert "nothing was in place" in first.notes[0]
    assert promote(runs / "good" / "artefact", runs, table=canary).outcome == "in place"
    before = (runs / POINTER).read_bytes()
    refused = promote(runs / "worse", table=canary)
    assert (refused.outcome, refused.before) == ("worse", first.version)
    assert (runs / POINTER).read_bytes() == before
    done = promote(runs / "better", table=canary)
    assert (done.outcome, done.against, done.before) == ("promoted", first.version, first.version)
    old, new = (gw.load(runs / name / "artefact").evaluate(canary) for name in ("good", "better"))
    for each in done.judged:
        assert (each.before, each.after) == (old[each.output][each.metric], new[each.output][each.metric])
        assert each.loss == pytest.approx(each.before - each.after)
    assert Pointer.read(runs).current.version == done.version == f"better@{checksum(runs / 'better/artefact')[:8]}"
    now, withdrawn = roll_back(runs)
    assert (now.version, withdrawn.version, current(runs)) == (first.version, done.version, "good")
    assert [each.version for each in Pointer.read(runs).withdrawn] == [done.version]
    with pytest.raises(ArtefactError, match="nothing was in place before"):
        roll_back(runs)


def test_the_worst_that_is_allowed_counts_for_every_output(runs):
    canary = runs / "canary.parquet"
    promote(runs / "better")
    losses = {each.output: each.loss for each in promote(runs / "worse", table=canary).judged}
    assert all(loss > 0.05 for loss in losses.values())
    just = {output: loss + 1e-9 for output, loss in losses.items()}
    refused = promote(runs / "worse", table=canary, worst=0, worst_of={**just, "stars": losses["stars"] - 1e-6})
    assert (refused.outcome, [each.output for each in refused.judged if each.worse]) == ("worse", ["stars"])
    assert promote(runs / "worse", table=canary, worst=0, worst_of=just).outcome == "promoted"
    # against another run than what is in place
    assert promote(runs / "good", table=canary, against=runs / "better").against == str(runs / "better")
    with pytest.raises(DeclarationError, match="no output 'clik'; did you mean 'click'"):
        promote(runs / "good", table=canary, worst_of={"clik": 1.0})
    with pytest.raises(DeclarationError, match="--table is needed: the main metrics on it are compared with"):
        promote(runs / "better")
    one_class = pq.read_table(canary)
    one_class = one_class.filter(one_class["click"].to_numpy() == 1)
    with pytest.raises(TableError, match="auc of 'click' is undefined on it"):
        promote(runs / "better", table=one_class)


def damaged(runs: Path) -> None:
    weights = runs / "better" / "artefact" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8] + bytes(8))


def not_finite(runs: Path) -> None:
    ranker = gw.load(runs / "better" / "artefact")
    with torch.no_grad():
        for parameter in ranker.model.parameters():
            parameter.fill_(1e11)
    ranker.save(runs / "better" / "artefact")


def other_weights(runs: Path) -> None:
    """Let the artefact predict something else than the run wrote, with a manifest that is right."""
    ranker = gw.load(runs / "better" / "artefact")
    record = RunRecord.read(runs / "better")
    with torch.no_grad():
        next(iter(ranker.model.parameters())).add_(0.01)
    ranker.save(runs / "better" / "artefact")
    values = json.loads((runs / "better" / "run.json").read_text())
    assert record.artefact == values["artefact"]
    values["artefact"] = checksum(runs / "better" / "artefact")
    (runs / "better" / "run.json").write_text(json.dumps(values))


def interrupted(runs: Path) -> None:
    RunRecord("begun").write(runs / "better")


def gone(runs: Path) -> None:
    shutil.rmtree(runs / "better" / "artefact")


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (damaged, "weights.safetensors is not what was saved"),
        (not_finite, "are not finite"),
        (other_weights, "when the run ended, and is"),
        (interrupted, "is not at its end"),
        (gone, "there is no artefact"),
    ],
)
def test_what_is_broken_takes_no_place(runs, fault, problem):
    promote(runs / "good")
    before = (runs / POINTER).read_bytes()
    fault(runs)
    found = promote(runs / "better", table=runs / "canary.parquet")
    assert found.outcome == "broken"
    assert problem in found.problem
    assert (runs / POINTER).read_bytes() == before


def test_going_back_needs_what_was_promoted(runs):
    promote(runs / "good")
    promote(runs / "better", table=runs / "canary.parquet")
    gw.load(runs / "worse" / "artefact").save(runs / "good" / "artefact")
    with pytest.raises(ArtefactError, match="is not what was promoted as good@"):
        roll_back(runs)
    assert current(runs) == "better"
    with pytest.raises(ArtefactError, match="nothing was promoted in"):
        roll_back(runs / "good")


def test_two_at_once_do_not_overwrite_each_other(runs):
    promote(runs / "good")
    seen = Pointer.read(runs)
    promote(runs / "better", table=runs / "canary.parquet")
    with pytest.raises(InUseError, match="was changed meanwhile"):
        seen.forward(seen.promoted[0]).write(runs, seen)
    assert current(runs) == "better"


def test_a_damaged_pointer_is_one_line(runs):
    (runs / POINTER).write_text('{"promoted": [{"run": 3}]}')
    with pytest.raises(ArtefactError, match=r"current.json. is damaged: promoted.0.run: Input should be a valid"):
        promote(runs / "good")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_killed_at_any_moment_the_pointer_names_a_whole_artefact(runs):
    promote(runs / "good")
    entries = Pointer.read(runs)
    for turn in range(30):
        child = os.fork()
        if child == 0:
            while True:
                other = entries.forward(entries.promoted[0])
                other.write(runs, Pointer.read(runs))
                entries.write(runs, other)
        time.sleep(0.01 + 0.002 * turn)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        now = Pointer.read(runs).current
        assert checksum(now.artefact(runs)) == now.manifest
    # the next one finds its way, and leaves nothing of the killed ones
    assert promote(runs / "better", table=runs / "canary.parquet").outcome == "promoted"
    assert not [path.name for path in runs.iterdir() if path.name.startswith(".")]


def test_the_command_says_what_it_did_by_its_exit_status(runs, monkeypatch, capsys):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gatewise", "--quiet", "promote", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    canary = ("--table", runs / "canary.parquet")
    code, out, err = run(runs / "good")
    assert (code, f"in place in {runs}: good@" in out, "main metrics were not compared" in err) == (0, True, True)
    code, out, err = run(runs / "worse", *canary)
    assert (code, "on click, stars; good@" in err, "worse" in out) == (3, True, True)
    code, _, err = run(runs / "bettr", *canary)
    assert (code, "broken: the run: there is no artefact" in err) == (4, True)
    code, out, _ = run(runs / "better", *canary, "--worst", "0.01", "--worst", "stars=0.5", "--json")
    assert (code, json.loads(out)["outcome"]) == (0, "promoted")
    assert {each["output"]: each["worst"] for each in json.loads(out)["judged"]} == {"click": 0.01, "stars": 0.5}
    assert run("--back", "--to", runs)[1].startswith(f"back in place in {runs}: good@")
    for arguments, message in (
        ([], "name a run, or --back"),
        (["--back", runs / "good"], "takes --to alone"),
        ([runs / "good", "--worst", "x"], "expected a number of 0 or more, or OUTPUT=NUMBER, found 'x'"),
        ([runs, "--to", runs], "is the run itself"),
        ([runs / "better"], "--table is needed"),
    ):
        code, _, err = run(*arguments)
        assert (code, message in err) == (1, True), err
