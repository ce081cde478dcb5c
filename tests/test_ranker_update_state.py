"""An update goes on where the training ended: with its optimiser, its balancing, its earlier rows, near its weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import gatewise as gw
from gatewise.errors import ArtefactError, DeclarationError, TableError
from gatewise.fitting import make_trainer
from gatewise.preparing import prepare
from gatewise.serving.artefact import digest_of
from gatewise.training import Reporter

SCHEMA = gw.Schema(
    features=[gw.Categorical("user", dim=4), gw.Categorical("item", dim=4), gw.Numeric("age")],
    tasks=[gw.Binary("click"), gw.Regression("stay")],
)


def day(seed: int, rows: int = 300, users: int = 20, first: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    user = rng.integers(first, first + users, rows)
    click = rng.random(rows) < np.where(user % 2, 0.8, 0.2)
    stay = 3.0 * (user % 3) + rng.normal(size=rows)
    return {
        "user": user,
        "item": rng.integers(0, 9, rows),
        "age": rng.normal(size=rows),
        "click": click * 1,
        "stay": stay,
    }


def make(**options: object) -> gw.Ranker:
    options = {"balance": "uncertainty", "epochs": 1, "batch_size": 64, "lr": 0.02, "weight_decay": 0.01, **options}
    return gw.Ranker(SCHEMA, gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4], dropout=0.1), **options)


def weights(ranker: gw.Ranker) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in ranker.model.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


WAYS = {
    "adamw": {},
    "dense": {"embedding_update": "dense"},
    "rowwise": {"embedding_update": "rowwise_adagrad", "optimizer": "adagrad"},
    "momentum": {"optimizer": "sgd"},
    "dense sgd": {"optimizer": "sgd", "embedding_update": "dense", "balance": "dwa"},
    "rmsprop": {"optimizer": "rmsprop", "balance": "gradnorm"},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_loaded_ranker_goes_on_as_if_it_had_never_been_saved(way: str, tmp_path: Path) -> None:
    live = make(keep_optimizer=True, **WAYS[way]).fit(day(0))
    live.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    without = gw.load(tmp_path / "model")
    without._kept = {name: value for name, value in without._kept.items() if not name.startswith("optimizer")}
    for ranker in (live, loaded, without):
        ranker.update(day(1), replay=day(2), replay_share=0.25)
    assert equal(weights(live), weights(loaded))
    assert not equal(weights(live), weights(without))
    # and once more, from what the update has left behind
    loaded.save(tmp_path / "again")
    assert equal(weights(live.update(day(3))), weights(gw.load(tmp_path / "again").update(day(3))))


def test_an_update_is_the_next_epoch_of_one_optimiser(tmp_path: Path) -> None:
    ranker = make(keep_optimizer=True).fit(day(0))
    ranker.save(tmp_path / "model")
    first = prepare(SCHEMA, make().options, day(0))
    then = first.scorer.tensors(first.scorer.encode(day(1)))
    trainer = make_trainer(first.scorer, first.options, first.train, None, Reporter())
    trainer.fit(first.train)
    # the same objects go on; only the count of epochs begins anew
    trainer.history.clear()
    trainer.fit(then)
    rate = ranker.options.training.lr
    updated = gw.load(tmp_path / "model").update(day(1), epochs=1, lr=rate, schedule=None)
    assert equal(weights(updated), {name: value.cpu() for name, value in first.scorer.model.state_dict().items()})
    assert "balance:log_variances" in updated._kept
    assert equal({"log_variances": updated._kept["balance:log_variances"]}, dict(trainer.step.balance.state_dict()))


def test_the_state_is_that_of_the_epoch_whose_weights_are_kept() -> None:
    against = {**day(9), "click": 1 - day(9)["click"]}
    chosen = make(keep_optimizer=True, epochs=4, lr=0.1, monitor="click.auc").fit(day(0), against)
    best = next(record.epoch for record in reversed(chosen.history) if record.best)
    assert best < len(chosen.history)
    alone = make(keep_optimizer=True, epochs=best, lr=0.1, monitor="click.auc").fit(day(0))
    assert equal(weights(chosen), weights(alone))
    assert equal(chosen._kept, alone._kept)


def test_only_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    make(balance="static").fit(day(0)).save(tmp_path / "plain")
    assert not (tmp_path / "plain" / "training.safetensors").exists()
    make(keep_optimizer=True).fit(day(0)).save(tmp_path / "kept")
    sizes = [(tmp_path / "kept" / name).stat().st_size for name in ("training.safetensors", "weights.safetensors")]
    # Adam has two numbers per weight, and names of its own
    assert 1.5 < sizes[0] / sizes[1] < 4


def test_new_values_begin_without_state_and_old_ones_keep_theirs() -> None:
    ranker = make(keep_optimizer=True).fit(day(0))
    name = "optimizer:input_layer.tables.weights.dim_4:exp_avg"
    before, old = ranker._kept[name], ranker.model.input_layer.tables
    assert ranker.extend_vocabulary(day(1, first=15)) == {"user": 15, "item": 0}
    after, new = ranker._kept[name], ranker.model.input_layer.tables
    for field, known in enumerate(old.fields):
        start, place = old.offsets[field], new.offsets[field]
        assert torch.equal(after[place : place + known.rows], before[start : start + known.rows])
        assert not after[place + known.rows : place + new.fields[field].rows].any()
    assert before.any()
    ranker.update(day(1, first=15))


def test_an_update_changes_no_option_and_does_not_follow_the_rows(tmp_path: Path) -> None:
    ranker = make(batch_size="auto", lr="auto", epochs="auto", schedule="cosine").fit(day(0, rows=3300))
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert (loaded.options.training.batch_size, loaded.options.training.epochs) == (32, 24)
    declared = loaded.options
    for each in (ranker, loaded):
        each.update(day(1, rows=6400))
        highest = each.history[0].lr
        # 200 steps an epoch, along a cosine from half of the training's rate
        assert highest == pytest.approx(0.75 * 0.5 * declared.training.lr, rel=0.1)
        assert [len(each.history), each.history[-1].lr] == [3, 0]
    assert loaded.options == declared == ranker.options
    assert equal(weights(ranker), weights(loaded))
    loaded.update(day(1), epochs=2, lr=0.5, schedule=gw.StepDecay(factor=0.1))
    assert [record.lr for record in loaded.history] == [0.5, pytest.approx(0.05)]
    assert (loaded.rows, loaded.metrics) == ({"training": 300}, {})


def test_replayed_rows_are_learnt_too_and_the_pull_holds_back() -> None:
    other = {**day(1), "click": 1 - day(1)["click"]}

    def gap(ranker: gw.Ranker) -> float:
        found = ranker.predict(day(5))["click"].to_numpy()
        odd = day(5)["user"] % 2 == 1
        return float(found[odd].mean() - found[~odd].mean())

    def fitted() -> gw.Ranker:
        return make(epochs=8).fit(day(0))

    plain = gap(fitted().update(other, epochs=4, lr=0.02, schedule=None))
    assert plain < 0
    assert gap(fitted().update(other, epochs=4, lr=0.02, schedule=None, replay=day(0))) > 0
    assert gap(fitted().update(other, epochs=4, lr=0.02, schedule=None, pull=20.0)) > 0
    held = fitted()
    before = weights(held)
    # the whole way back after each step
    after = weights(held.update(other, lr=0.02, schedule=None, pull=1 / 0.02))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_earlier_rows_come_from_several_files(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [tmp_path / f"{seed}.parquet" for seed in (0, 1)]
    for seed, path in enumerate(paths):
        pq.write_table(pa.table(day(seed)), path)
    ranker = make().fit(paths[0]).update(day(2), replay=[str(path) for path in paths])
    assert ranker.rows == {"training": 300, "replay": 600}
    with pytest.warns(gw.GatewiseWarning, match=r"replay: its 5 rows are gone through \d+ times"):
        ranker.update(day(2), replay=day(3, rows=5))


def test_a_calibration_is_learnt_anew_or_dropped_aloud() -> None:
    def calibrated() -> gw.Ranker:
        return make().fit(day(0)).calibrate(day(1, rows=2000), "platt")

    ranker = calibrated()
    before = ranker.scorer.calibration.state()
    ranker.update(day(2), day(3, rows=2000))
    after = ranker.scorer.calibration.state()
    assert after["click"]["method"] == "platt"
    assert after != before
    assert after == ranker.calibrate(day(3, rows=2000), "platt").scorer.calibration.state()
    with pytest.warns(gw.GatewiseWarning, match=r"the calibration of click was learnt .* give valid, or call"):
        assert not calibrated().update(day(2)).calibrated
    sampled = make().fit(day(0)).calibrate(method="down_sampling", rate=0.1)
    assert sampled.update(day(2)).scorer.calibration.state() == {"click": {"method": "down_sampling", "rate": 0.1}}
    one_class = {**day(4), "click": np.zeros(300)}
    alone = make(monitor="stay.rmse").fit(day(0)).calibrate(day(1, rows=2000), "platt")
    with pytest.warns(gw.GatewiseWarning, match="calibration of 'click': .*; it is dropped"):
        assert not alone.update(day(2), one_class).calibrated


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epoch": 2}, r"update: Update\.epoch: unknown option; did you mean 'epochs'"),
        ({"replay_share": 1.0}, r"replay_share"),
        ({"pull": -1.0}, r"pull"),
        ({"epochs": "auto"}, r"epochs"),
        ({"schedule": "plateau"}, r"schedule 'plateau' follows the monitored metric"),
    ],
)
def test_wrong_options_are_one_line_and_change_nothing(options: dict[str, object], message: str) -> None:
    ranker = make().fit(day(0))
    before = weights(ranker)
    with pytest.raises(DeclarationError, match=message):
        ranker.update(day(1), **options)
    with pytest.raises(TableError, match="click"):
        ranker.update({name: values for name, values in day(1).items() if name != "click"})
    assert equal(weights(ranker), before)


WRONG = {
    "another shape": lambda kept: kept.update({"optimizer:towers.bias:exp_avg": torch.zeros(3)}),
    "no such parameter": lambda kept: kept.update({"optimizer:nobody:exp_avg": torch.zeros(3)}),
    "not finite": lambda kept: next(v for k, v in kept.items() if k.endswith("exp_avg")).fill_(torch.inf),
    "no steps": lambda kept: [kept.pop(name) for name in list(kept) if name.endswith(":step")],
    "steps below 1": lambda kept: [kept[name].fill_(-1) for name in kept if name.endswith(":step")],
    "another rule": lambda kept: kept.update({"balance:log_variances": torch.zeros(5)}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_state_that_does_not_fit_is_refused_and_scoring_needs_none(wrong: str, tmp_path: Path) -> None:
    ranker = make(keep_optimizer=True).fit(day(0))
    ranker.save(tmp_path / "model")
    path, manifest = tmp_path / "model" / "training.safetensors", tmp_path / "model" / "manifest.json"
    kept = load_file(path)
    WRONG[wrong](kept)
    save_file(kept, path)
    listed = json.loads(manifest.read_text())
    listed["files"][path.name] = digest_of(path.read_bytes())
    manifest.write_text(json.dumps(listed))
    loaded = gw.load(tmp_path / "model")
    with pytest.raises(ArtefactError, match="state of the training"):
        loaded.update(day(1))
    assert loaded.predict(day(1)) == ranker.predict(day(1))
