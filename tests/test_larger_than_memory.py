"""Tables that do not fit into ``memory`` are trained on from a cache on disk, with the results of one in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import commands
import gatewise as gw
from gatewise.assembly import WindowedRows
from gatewise.caching import beyond_chance, fits
from gatewise.data import caches, open_cache
from gatewise.errors import DeclarationError, GatewiseWarning, TableError

TORTURE = Path(__file__).parents[1] / "scripts" / "torture" / "training.py"
ROWS = 6000
SCHEMA = gw.Schema(
    features=[gw.Categorical("user", dim=4), gw.Numeric("x"), gw.Sequence("tags", dim=2)],
    tasks=[gw.Binary("click", weight_column="weight"), gw.Regression("stay")],
)
MODEL = gw.MMoE(experts=2, expert_dims=[8], id_dropout=5)


def table(rows: int = ROWS, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    user, x = rng.integers(0, 30, rows), rng.normal(size=rows)
    odds = np.sin(user) + x
    return pa.table(
        {
            "user": user,
            "x": x,
            "tags": rng.choice(["a|b", "", "c"], rows),
            "click": (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8),
            "weight": rng.random(rows) + 0.5,
            "stay": pa.array(odds + rng.normal(size=rows), mask=rng.random(rows) < 0.2),
            "request": rng.integers(0, 600, rows),
        }
    )


TRAIN, VALID = table(), table(1500, 1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWISE_CACHE", str(tmp_path / "caches"))
    return tmp_path / "caches"


def ranker(schema: gw.Schema = SCHEMA, model: Any = MODEL, **options: Any) -> gw.Ranker:
    return gw.Ranker(schema, model, **{"epochs": 3, "batch_size": 128, "seed": 1, **options})


def weights(found: gw.Ranker) -> dict[str, Any]:
    return found.scorer.model.state_dict()


def test_trained_from_the_disk_as_well_as_in_memory(home):
    inside, outside = ranker().fit(TRAIN, VALID), ranker(memory=0).fit(TRAIN, VALID)
    for task, metric in (("click", "auc"), ("stay", "r2")):
        # the rows of an epoch come in another order, and all else is the same
        assert outside.evaluate(VALID)[task][metric] == pytest.approx(inside.evaluate(VALID)[task][metric], abs=0.015)
        assert outside.history[-1].valid[task][metric] == pytest.approx(outside.evaluate(VALID)[task][metric], abs=1e-6)
    assert outside.scorer.encoder.state() == inside.scorer.encoder.state()
    assert outside.rows == {"training": ROWS, "validation": 1500}
    # rows of both tables, each in a cache of its own
    assert sorted(cache.rows for cache in caches(home)) == [1500, ROWS]


def test_a_file_a_frame_and_a_second_training_give_the_same_weights(tmp_path, home):
    path = tmp_path / "train.parquet"
    pq.write_table(TRAIN, path, row_group_size=700)
    found = [ranker(memory=0).fit(rows) for rows in (TRAIN, path, path, TRAIN.to_pandas())]
    for other in found[1:]:
        for name, value in weights(found[0]).items():
            assert value.equal(weights(other)[name]), name
    # the file was encoded once; another file of the same rows is another source
    times = {cache.folder: cache.used for cache in caches(home)}
    ranker(memory=0).fit(path)
    assert {cache.folder: cache.used for cache in caches(home)} == times


def test_two_trainings_that_want_one_cache_wait_for_each_other(home):
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: ranker(memory=0, epochs=1).fit(TRAIN, progress=False), range(2))
    for name, value in weights(one).items():
        assert value.equal(weights(other)[name]), name
    assert len(caches(home)) == 1


def test_rows_that_a_ranker_is_trained_further_on_are_dealt_too(home):
    known = ranker(epochs=1).fit(TRAIN)
    known.options = replace(known.options, training=replace(known.options.training, memory=0))
    known.update(VALID)
    [cache] = caches(home)
    assert (cache.rows, open_cache(cache.folder).manifest.order) == (1500, "random")


def test_another_schema_seed_or_file_has_another_cache(tmp_path, home):
    path = tmp_path / "train.parquet"
    pq.write_table(TRAIN, path)
    ranker(memory=0, epochs=1).fit(path)
    ranker(memory=0, epochs=1, seed=2).fit(path)
    ranker(SCHEMA.only("click"), memory=0, epochs=1).fit(path)
    assert len(caches(home)) == 3
    pq.write_table(TRAIN.slice(1), path)
    found = ranker(memory=0, epochs=1).fit(path)
    assert (len(caches(home)), found.rows["training"]) == (4, ROWS - 1)


def test_positives_first_do_no_harm_but_in_the_order_of_the_log(monkeypatch):
    # windows of two blocks, so that a table of this size has many
    monkeypatch.setattr("gatewise.preparing.WindowedRows", partial(WindowedRows, window_blocks=2))
    rows = table(60_000, 3)
    sorted_rows = rows.take(np.argsort(1 - rows["click"].to_numpy(), kind="stable"))
    schema = gw.Schema(features=SCHEMA.features, tasks=[gw.Binary("click")])

    def auc(order: str, source: pa.Table) -> float:
        return ranker(schema, memory=0, epochs=1, order=order).fit(source).evaluate(VALID)["click"]["auc"]

    mixed = auc("random", sorted_rows)
    assert mixed == pytest.approx(auc("random", rows), abs=0.003)
    with pytest.warns(GatewiseWarning, match=r"order 'time': the share of 'click' differs .* from 0 to 1, by more"):
        followed = auc("time", sorted_rows)
    assert followed < mixed - 0.01


def test_chance_alone_does_not_warn():
    rng = np.random.default_rng(0)
    counts = np.full(200, 4096)
    assert max(beyond_chance(rng.binomial(counts, 0.03), counts) for _ in range(50)) < 5
    assert beyond_chance(rng.binomial(counts, np.linspace(0.02, 0.04, 200)), counts) > 5
    assert beyond_chance(np.zeros(3), np.array([4, 5, 6])) == 0


@pytest.mark.parametrize("loss", ["pairwise", "jrc"])
def test_groups_of_ranking_losses_stay_whole(loss):
    tasks = [gw.Binary("click", loss=loss)] if loss == "jrc" else [gw.Binary("click", ranking=loss)]
    schema = gw.Schema(features=SCHEMA.features, tasks=tasks, group="request")
    found = ranker(schema, memory=0).fit(TRAIN, VALID)
    inside = ranker(schema).fit(TRAIN, VALID)
    for metric in ("auc", "gauc"):
        wanted = inside.evaluate(VALID)["click"][metric]
        assert found.evaluate(VALID)["click"][metric] == pytest.approx(wanted, abs=0.03)
    # metrics within groups over pieces, whose groups are hashes
    assert found.history[-1].valid["click"]["gauc"] == pytest.approx(found.evaluate(VALID)["click"]["gauc"], abs=1e-6)


def test_what_fits_is_decided_by_memory(tmp_path):
    path = tmp_path / "train.parquet"
    pq.write_table(TRAIN, path)
    for source in (TRAIN, path):
        assert fits(SCHEMA, gw.Training(), source)
        assert fits(SCHEMA, gw.Training(memory="10 MB"), source)
        assert not fits(SCHEMA, gw.Training(memory="200 kB"), source)
        assert not fits(SCHEMA, gw.Training(memory=0), source)


@pytest.mark.parametrize(
    ("text", "number"), [("1.5 GB", 1_500_000_000), ("2GiB", 2 << 30), ("64 kB", 64_000), ("7", 7), (0, 0)]
)
def test_sizes_are_read(text, number):
    assert gw.Training(memory=text).memory == number


@pytest.mark.parametrize("wrong", ["much", "1 XB", -1, "-1 GB", "1 GB extra"])
def test_other_sizes_are_refused(wrong):
    with pytest.raises(DeclarationError, match=r"memory"):
        gw.Training(memory=wrong)


def test_an_error_in_the_table_leaves_no_half_cache(tmp_path, home):
    path = tmp_path / "train.parquet"
    bad = TRAIN.set_column(1, "x", pa.array(np.r_[np.zeros(ROWS - 1), np.nan]))
    pq.write_table(bad, path)
    with pytest.raises(TableError, match=f"feature 'x': found nan in row {ROWS - 1}"):
        ranker(memory=0).fit(path)
    assert caches(home) == []


def test_caches_at_the_command_line(home):
    def run(*words: str) -> str:
        return commands.run("cache", *words).stdout

    assert "no caches in" in run("ls")
    ranker(memory=0, epochs=1).fit(TRAIN)
    [cache] = caches(home)
    shown = run("ls")
    assert cache.folder.name in shown
    assert f"{ROWS:,}" in shown
    assert f"{cache.folder.name}: 0 MB freed" in run("rm", cache.folder.name)
    assert caches(home) == []


def test_killed_anywhere_and_resumed_the_weights_are_those_of_a_training_never_killed():
    command, alone = [sys.executable, str(TORTURE), "10", "20000"], {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, env=alone)
    assert "10 of 10 have the weights" in found.stdout, found.stdout + found.stderr
    assert "training" in found.stdout
