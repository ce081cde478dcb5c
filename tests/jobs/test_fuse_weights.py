"""The search finds what is known to be best where goals conflict, the same for the same seed, and keeps quiet."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import warnings

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.declare import Fusion
from gatewise.errors import DeclarationError, TableError
from gatewise.jobs.weight_search import Range, ranges_of

optuna = pytest.importorskip("optuna")

USERS = 60


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Return rows where half of the items are clicked by everyone and the other half bought by everyone."""
    rng = np.random.default_rng(0)
    item = rng.integers(0, 4, 3000)
    chance = {"click": [0.9, 0.6, 0.3, 0.1], "buy": [0.1, 0.3, 0.6, 0.9]}
    labels = {name: (rng.random(3000) < np.array(each)[item]).astype(int) for name, each in chance.items()}
    return pa.table({"user": rng.integers(0, USERS, 3000), "item": item, **labels})


@pytest.fixture(scope="module")
def ranker(rows) -> gw.Ranker:
    """Return a ranker of the two labels; tests must not change it."""
    schema = gw.Schema(
        features=[gw.Categorical("item", dim=4)], tasks=[gw.Binary("click"), gw.Binary("buy")], group="user"
    )
    model = gw.SharedBottom(bottom_dims=[8], tower_dims=[4])
    return gw.Ranker(schema, model, fusion="1 * click + 1 * buy", epochs=15, batch_size=256, lr=0.02).fit(rows)


@pytest.fixture(scope="module")
def found(ranker, rows):
    return gw.fuse(ranker, rows, ["auc:click", "auc:buy"], trials=60, progress=False)


def dominates(a, b) -> bool:
    return a != b and all(x >= y for x, y in zip(a, b, strict=True))


def test_the_front_reaches_from_the_best_of_one_goal_to_the_best_of_the_other(ranker, rows, found):
    alone = {task: ranker.evaluate(rows)[task]["auc"] for task in ("click", "buy")}
    # an item that one label likes the other does not: the best by one goal is the order of its own task
    assert found.front[0].values[0] == pytest.approx(alone["click"], abs=5e-5)
    assert found.front[-1].values[1] == pytest.approx(alone["buy"], abs=5e-5)
    assert alone["click"] > 0.7 > 0.3 > found.front[-1].values[0]


def test_nothing_that_was_tried_dominates_the_front(found):
    values = [candidate.values for candidate in found.tried]
    assert len(found.tried) == 61
    assert len(found.front) > 2
    for candidate in found.front:
        assert not any(dominates(other, candidate.values) for other in values)
    missed = [v for v in values if v not in [c.values for c in found.front]]
    assert all(any(dominates(c.values, v) for c in found.front) for v in missed)


def test_what_is_said_of_a_point_is_so(ranker, rows, found):
    from sklearn.metrics import roc_auc_score

    table = ranker.predict(rows)
    predicted = {name: table[name].to_numpy() for name in ("click", "buy")}
    for candidate in (found.current, *found.front):
        fused = Fusion.parse(candidate.expression).evaluate(predicted)
        expected = [roc_auc_score(rows[name].to_numpy(), fused) for name in ("click", "buy")]
        assert candidate.values == pytest.approx(expected, abs=5.1e-5)
        assert candidate.weights == Fusion.parse(candidate.expression).weights
    assert found.current.expression == "1 * click + 1 * buy"
    assert found.rows == 3000


def test_the_known_best_is_found_within_groups(ranker, rows):
    """Of one goal alone the best weights leave the other task no say."""
    alone = ranker.evaluate(rows)["click"]["gauc"]
    best = gw.fuse(ranker, rows, ["gauc:click"], trials=30, progress=False)
    assert [candidate.values for candidate in best.front] == [(pytest.approx(alone, abs=5e-5),)]
    weight = dict(zip(("click", "buy"), best.front[0].weights, strict=True))
    assert weight["click"] > 2 * weight["buy"]


def test_the_same_seed_finds_the_same(ranker, rows, found):
    again, other = (
        gw.fuse(ranker, rows, ["auc:click", "auc:buy"], trials=60, seed=seed, progress=False) for seed in (0, 1)
    )
    assert again == found
    assert other.tried != found.tried


def test_weights_stay_in_their_ranges(ranker, rows):
    ranges = {1: (-2.0, -0.5), 2: (-1.0, 1.0), 3: (0.5, 0.5), 4: (0.3, 3.0)}
    fusion = "1 * click + 0 * buy^1 + 1 * max(buy, 0)"
    found = gw.fuse(ranker, rows, ["auc:click"], fusion=fusion, ranges=ranges, trials=20, progress=False)
    tried = np.array([candidate.weights for candidate in found.tried])
    assert tried[0].tolist() == [1, 0, 1, 1, 0]
    low, high = tried[1:].min(axis=0), tried[1:].max(axis=0)
    assert (low >= [-2, -1, 0.5, 0.3, 0]).all()
    assert (high <= [-0.5, 1, 0.5, 3, 0]).all()
    assert low[1] < 0 < high[1]


def test_ranges_are_a_tenth_to_ten_times_the_weights():
    assert ranges_of(Fusion.parse("2 * a - -3 * b^0"), {}) == {0: (0.2, 20), 1: (-30, -0.3), 2: (0, 0)}
    assert Range(-30.0, -0.3).weight(1.23456) == -1.235
    assert Range(0.12344, 1.0).weight(0.123440001) == 0.12344


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"fusion": "click * buy"},
            "fuse: expected a weight to look for, such as in 2 * click + 3 * buy, found click * ",
        ),
        ({"ranges": {3: (0, 1)}}, "range of weight 3: expected 1 to 2, the weights of 1 * click + 1 * buy"),
        ({"ranges": {1: (2, 1)}}, "range of weight 1: expected LOW:HIGH, found 2:1"),
        ({"ranges": {1: (0, float("inf"))}}, "range of weight 1: expected LOW:HIGH, found 0:inf"),
        ({"ranges": {1: (1, 1), 2: (2, 2)}}, "fuse: expected a weight to look for"),
        ({"fusion": "clik"}, "fusion: 'clik' is no prediction; did you mean 'click'?"),
        ({"trials": -1}, "fuse: trials: expected 0 or more, found -1"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(ranker, rows, options, complaint):
    with pytest.raises(DeclarationError) as caught:
        gw.fuse(ranker, rows, ["auc:click"], progress=False, **options)
    assert str(caught.value).startswith(complaint)


def test_goals_are_needed_and_defined(ranker, rows, make_ranker, feed):
    with pytest.raises(DeclarationError, match="fuse: expected a goal or more"):
        gw.fuse(ranker, rows, [], progress=False)
    with pytest.raises(TableError, match="goal 'gauc:click': is undefined on these rows"):
        gw.fuse(ranker, rows.set_column(2, "click", pa.array(np.ones(3000))), ["auc:buy", "gauc:click"], progress=False)
    with pytest.raises(DeclarationError, match="fuse: this ranker has no fusion: give one"):
        gw.fuse(make_ranker(epochs=1).fit(feed), feed, ["auc:click"], progress=False)


def test_a_trial_without_a_value_is_passed_over(ranker, rows):
    # below all predictions everything is equal, and equal scores have no rank correlation
    fusion, ranges = "clip(click, 0, 1) + 0 * buy", {2: (1e-9, 1.0), 1: (0.0, 0.0)}
    found = gw.fuse(ranker, rows, ["spearman:click"], fusion=fusion, ranges=ranges, trials=30, progress=False)
    assert 1 < len(found.tried) < 31


def test_no_trials_judge_the_expression_as_it_is(ranker, rows):
    found = gw.fuse(ranker, rows, ["auc:click"], fusion="click", trials=0, progress=False)
    assert found.tried == (found.current,)
    assert found.current.values == (pytest.approx(ranker.evaluate(rows)["click"]["auc"], abs=5e-5),)


def test_nothing_is_logged_and_optunas_own_settings_stay(ranker, rows, capfd, caplog):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    optuna.logging.enable_propagation()
    try:
        with warnings.catch_warnings(), caplog.at_level(logging.INFO):
            warnings.simplefilter("error")
            gw.fuse(ranker, rows, ["auc:click", "auc:buy"], trials=15, progress=False)
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.disable_propagation()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    assert [record for record in caplog.records if "optuna" in record.name] == []
    assert capfd.readouterr() == ("", "")


def test_trials_read_the_rows_once(ranker, rows, monkeypatch):
    reads = []
    encode = type(ranker.scorer.encoder).encode
    monkeypatch.setattr(
        type(ranker.scorer.encoder), "encode", lambda *args, **options: reads.append(1) or encode(*args, **options)
    )
    gw.fuse(ranker, rows, ["auc:click"], trials=20, progress=False)
    assert len(reads) == 1


def test_ctrl_c_keeps_what_was_found(ranker, rows, monkeypatch):
    import gatewise.jobs.weight_search as module

    step, steps = module._step, []

    def interrupted(*args):
        steps.append(step(*args))
        if len(steps) == 12:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "_step", interrupted)
    found = gw.fuse(ranker, rows, ["auc:click", "auc:buy"], trials=1000, progress=False)
    assert found.interrupted
    assert len(found.tried) == 13
    assert found.choose("knee") in found.tried


def test_the_missing_extra_is_named_before_the_rows_are_read(ranker, tmp_path):
    ranker.save(tmp_path / "model")
    script = (
        "import sys; sys.modules['optuna'] = None\n"
        "import gatewise as gw\n"
        "try: gw.fuse('model', 'no such file.csv', ['auc:click'])\n"
        "except gw.GatewiseError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    expected = "looking for the weights of a fusion needs an optional package: pip install 'gatewise[tune]'\n"
    assert done.stdout == expected, done.stderr


def test_a_trial_costs_little(ranker, rows):
    began = time.monotonic()
    gw.fuse(ranker, rows, ["gauc:click", "ndcg:buy"], trials=40, progress=False)
    assert (time.monotonic() - began) / 40 < 0.25
