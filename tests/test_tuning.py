"""Static weights found by a search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gatewise as gw
from gatewise.declare import Static, TunedStatic
from gatewise.errors import ArtefactError, DeclarationError, TrainingError
from gatewise.tuning import TUNED, candidate_weights

TUNE = {"kind": "tuned_static", "candidates": 4, "epochs": 1, "spread": 30}


def make(schema, balance=TUNE, **options) -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[6], tower_dims=[4])
    return gw.Ranker(schema, model, balance=balance, **{"epochs": 2, "batch_size": 128, "lr": 0.02, **options})


def weights_of(ranker: gw.Ranker) -> dict[str, float]:
    return {task: values["weight"] for task, values in ranker.history[-1].train.items()}


def test_candidates_start_equal_and_cover_the_range():
    found = candidate_weights(TunedStatic(candidates=64, spread=16), ["a", "b", "c"], seed=3)
    assert len(found) == 64
    assert found[0] == {"a": 1, "b": 1, "c": 1}
    ratios = [max(weights.values()) / min(weights.values()) for weights in found]
    assert max(ratios) <= 16
    assert max(ratios) > 8
    assert all(sum(weights.values()) == pytest.approx(3) for weights in found)
    for task in "abc":
        assert min(weights[task] for weights in found) < 0.3
        assert max(weights[task] for weights in found) > 1.8
    assert found == candidate_weights(TunedStatic(candidates=64, spread=16), ["a", "b", "c"], seed=3)
    assert found != candidate_weights(TunedStatic(candidates=64, spread=16), ["a", "b", "c"], seed=4)


def test_the_best_candidate_is_trained(feed, feed_schema, tmp_path: Path):
    train, valid = feed.slice(0, 1200), feed.slice(1200)
    ranker = make(feed_schema).fit(train, valid, run_dir=tmp_path)
    found = json.loads((tmp_path / TUNED).read_text())
    assert len(found["tried"]) == 4
    assert len({candidate["score"] for candidate in found["tried"]}) == 4
    best = max(found["tried"], key=lambda candidate: candidate["score"])
    assert found["weights"] == best["weights"]
    assert weights_of(ranker) == pytest.approx(best["weights"])
    # every score is that of training with those weights, and the last training is one with the best
    short = make(feed_schema, Static(weights=found["tried"][2]["weights"]), epochs=1).fit(train, valid)
    assert short.history[0].score == found["tried"][2]["score"]
    whole = make(feed_schema, Static(weights=best["weights"])).fit(train, valid)
    assert [record.score for record in whole.history] == [record.score for record in ranker.history]
    assert ranker.predict(valid) == whole.predict(valid)


def test_what_is_monitored_decides(feed, feed_schema, tmp_path: Path):
    train, valid = feed.slice(0, 1200), feed.slice(1200)
    make(feed_schema, monitor="stars.rmse").fit(train, valid, run_dir=tmp_path)
    found = json.loads((tmp_path / TUNED).read_text())
    errors = [-candidate["score"] for candidate in found["tried"]]
    assert found["weights"] == found["tried"][errors.index(min(errors))]["weights"]
    short = make(feed_schema, Static(weights=found["weights"]), epochs=1, monitor="stars.rmse").fit(train, valid)
    assert short.history[0].valid["stars"]["rmse"] == min(errors)


def test_resuming_does_not_search_again(feed, feed_schema, tmp_path: Path):
    train, valid = feed.slice(0, 1200), feed.slice(1200)
    whole = make(feed_schema, epochs=3).fit(train, valid, run_dir=tmp_path / "whole")
    make(feed_schema, epochs=1).fit(train, valid, run_dir=tmp_path / "part")
    written = (tmp_path / "part" / TUNED).stat().st_mtime_ns
    resumed = make(feed_schema, epochs=3).fit(train, valid, run_dir=tmp_path / "part", resume=True)
    assert (tmp_path / "part" / TUNED).stat().st_mtime_ns == written
    assert resumed.predict(valid) == whole.predict(valid)
    (tmp_path / "part" / TUNED).write_text("{}")
    with pytest.raises(ArtefactError, match=r"balance\.json' does not hold the weights"):
        make(feed_schema, epochs=3).fit(train, valid, run_dir=tmp_path / "part", resume=True)


def test_candidates_that_diverge(feed, feed_schema):
    train, valid = feed.slice(0, 1200), feed.slice(1200)
    with pytest.raises(TrainingError, match=r"tuned_static: no candidate can be trained; .*try a lower lr"):
        make(feed_schema, lr=1e9, optimizer="sgd", momentum=0.0).fit(train, valid)


def test_what_tuning_needs_is_said_at_once(feed, feed_schema):
    with pytest.raises(DeclarationError, match="'tuned_static' follows the monitored metric: fit needs a validation"):
        make(feed_schema).fit(feed)
    with pytest.raises(DeclarationError, match=r"balance\.target: no task 'clik' .*did you mean 'click'"):
        make(feed_schema, {"kind": "metabalance", "target": "clik"})


def test_a_tuned_ranker_is_saved_and_loaded(feed, feed_schema, tmp_path: Path):
    ranker = make(feed_schema).fit(feed.slice(0, 1200), feed.slice(1200))
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.options.balance == TunedStatic(candidates=4, epochs=1, spread=30)
    assert loaded.predict(feed) == ranker.predict(feed)
