"""Trainings of a comparison and of a search on a real Ray cluster of this machine: results of one machine."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import GatewiseError
from gatewise.jobs.tune import Search
from torchrun_program import table

ray = pytest.importorskip("ray", reason="make test-ray installs it: pip install 'gatewise[ray]'")
RECIPE = """
data: {train: train.parquet, valid: valid.parquet, test: valid.parquet}
features: [{kind: categorical, name: user, dim: 4}, {kind: numeric, name: x}]
tasks: [{kind: binary, name: click}, {kind: regression, name: stay}]
model: {kind: mmoe, experts: 2, expert_dims: [8]}
training: {epochs: 3, batch_size: 100, lr: 0.01}
tune: {"training.lr": [0.0001, 0.1, log], "model.expert_dims": [[4], [8]], "features.*.dim": []}
"""
CLUSTER = gw.Cluster(workers=2, cpus=1)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One cluster for all tests, which join the one that is running here."""
    ray.init(num_cpus=3, include_dashboard=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("many")
    pq.write_table(table(), place / "train.parquet")
    pq.write_table(table(300, 1), place / "valid.parquet")
    (place / "recipe.yaml").write_text(RECIPE)
    return place


def found_by(search: Search) -> list[Any]:
    return [(each.number, each.options, each.values, each.state, each.epochs) for each in search.trials]


def test_a_comparison_has_the_figures_of_one_machine(folder: Path) -> None:
    here = gw.compare(folder / "recipe.yaml", run_dir=folder / "here", seeds=1, samples=20, workers=1)
    there = gw.compare(folder / "recipe.yaml", run_dir=folder / "there", seeds=1, samples=20, cluster=CLUSTER)
    assert there.metrics == here.metrics
    assert there.verdicts == here.verdicts
    # what was trained on the cluster is not trained again
    kept = {path: path.stat().st_mtime_ns for path in (folder / "there").rglob("result.json")}
    gw.compare(folder / "recipe.yaml", run_dir=folder / "there", seeds=2, samples=20, cluster=CLUSTER)
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    assert len(list((folder / "there").rglob("result.json"))) == 2 * len(kept)


def test_a_search_by_one_process_has_the_trials_of_one_machine(folder: Path) -> None:
    here = gw.tune(folder / "recipe.yaml", folder / "here-tune", trials=9)
    one = replace(CLUSTER, workers=1)
    gw.tune(folder / "recipe.yaml", folder / "there-tune", trials=4, cluster=one)
    there = gw.tune(folder / "recipe.yaml", folder / "there-tune", trials=9, cluster=one)
    assert found_by(there) == found_by(here)
    assert "pruned" in {each.state for each in here.trials}


def trainers() -> set[int]:
    """Return the processes that train trials."""
    found = set[int]()
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (each / "cmdline").read_bytes().startswith(b"ray::_Trainer"):
                found.add(int(each.name))
    return found


def test_a_process_that_dies_costs_its_own_trial(folder: Path) -> None:
    with ThreadPoolExecutor() as pool:
        searching = pool.submit(gw.tune, folder / "recipe.yaml", folder / "killed", trials=6, cluster=CLUSTER)
        while not (busy := trainers()) and not searching.done():
            time.sleep(0.01)
        os.kill(min(busy), signal.SIGKILL)
        found = searching.result(timeout=120)
    assert [each.number for each in found.trials] == list(range(6))
    assert {each.state for each in found.trials} <= {"complete", "pruned"}


def test_what_cannot_be_is_said(folder: Path) -> None:
    with pytest.raises(GatewiseError, match=r"^cluster: expected 50 CPUs for a process, found 3 in the cluster$"):
        gw.tune(folder / "recipe.yaml", folder / "none", cluster=replace(CLUSTER, cpus=50))
