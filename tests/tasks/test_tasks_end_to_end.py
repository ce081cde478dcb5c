"""Funnels, samples and ranking losses through a ranker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as sk
import torch

import gatewise as gw
from gatewise.errors import DeclarationError
from gatewise.tasks import RankedBinaryTask


def shop(rows: int = 1500, seed: int = 0) -> dict[str, object]:
    """Return impressions that are clicked, put into a cart and bought, with buyers that skip the cart."""
    rng = np.random.default_rng(seed)
    x, user = rng.normal(size=(rows, 2)), rng.integers(0, 60, rows)
    click = rng.random(rows) < 1 / (1 + np.exp(-x[:, 0]))
    cart = click & (rng.random(rows) < 1 / (1 + np.exp(-x[:, 1])))
    buy = click & (rng.random(rows) < np.where(cart, 0.7, 0.2))
    return {
        "a": x[:, 0], "b": x[:, 1], "user": user, "click": click, "cart": cart, "buy": buy,
        "spent": np.where(buy, np.exp(x[:, 1] + rng.normal(size=rows)), np.nan),
    }  # fmt: skip


FEATURES = [gw.Numeric("a"), gw.Numeric("b"), gw.Categorical("user", dim=2)]
CLICK = gw.Binary("click")


def rank(*tasks: object, model: object = None, group: str | None = None, **options: object) -> gw.Ranker:
    schema = gw.Schema(FEATURES, tasks, group=group)
    return gw.Ranker(schema, model or gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4]),
                     **{"epochs": 4, "batch_size": 100, "lr": 0.02, **options})  # fmt: skip


TASKS = {
    "entire_space": [CLICK, gw.Binary("cart", after="click"), gw.Binary("buy", after="cart")],
    "observed": [gw.Binary("buy", after="click", learn="observed"), CLICK],
    "ips": [CLICK, gw.Binary("buy", after="click", learn="ips")],
    "dr": [CLICK, gw.Binary("buy", after="click", learn="dr")],
    "through": [CLICK, gw.Binary("cart", after="click"), gw.Binary("buy", after="click", through="cart")],
    "tree": [
        CLICK, gw.Binary("cart", after="click"), gw.Binary("buy", after="click"), gw.Regression("spent", within="buy")
    ],
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:task 'buy'")  # some buy without a cart


@pytest.mark.parametrize("tasks", TASKS.values(), ids=TASKS)
def test_a_funnel_is_learnt_judged_and_kept(tasks: list[object], tmp_path: Path) -> None:
    table, test = shop(), shop(seed=1)
    ranker = rank(*tasks).fit(table, test)
    predicted, metrics = ranker.predict(test), ranker.evaluate(test)
    assert set(metrics) == set(predicted.column_names)
    for name in metrics:
        values = predicted[name].to_numpy()
        assert np.isfinite(values).all()
        if name != "spent":
            assert (values >= 0).all()
            assert (values <= 1).all()
    assert metrics["click"]["auc"] > 0.7
    for name in predicted.column_names:
        before, _, step = name.rpartition("_and_")
        if before:
            given = next(found for found in predicted.column_names if found.startswith(f"{step}_given_"))
            product = predicted[before].to_numpy() * predicted[given].to_numpy()
            assert np.array_equal(predicted[name].to_numpy(), product)
    if "buy_given_click" in metrics:
        clicked = test["click"]
        expected = sk.roc_auc_score(test["buy"][clicked], predicted["buy_given_click"].to_numpy()[clicked])
        assert metrics["buy_given_click"]["auc"] == pytest.approx(expected, abs=1e-9)
        expected = sk.roc_auc_score(test["buy"], predicted["click_and_buy"].to_numpy())
        assert metrics["click_and_buy"]["auc"] == pytest.approx(expected, abs=1e-9)
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.predict(test).equals(predicted)
    assert loaded.evaluate(test) == metrics


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
@pytest.mark.parametrize(
    "model",
    [
        gw.SharedBottom(), gw.SingleTask(), gw.OMoE(), gw.PLE(), gw.CGC(), gw.CrossStitch(), gw.AdaTT(), gw.STEM(),
        gw.AITM(order=["click", "cart", "buy"]), gw.PEPNet(scenario=["user"], priors=["user"]),
        gw.HoME(groups={"a": ["click"], "b": ["cart", "buy"]}), gw.MMoE(side=gw.SideTower(["a"])),
    ],
    ids=lambda model: model.kind,
)  # fmt: skip
def test_a_funnel_on_any_trunk(model: object) -> None:
    for tasks in (TASKS["through"], [*TASKS["dr"][:1], gw.Binary("cart", after="click"), TASKS["dr"][1]]):
        ranker = rank(*tasks, model=model, epochs=2).fit(shop(400))
        assert ranker.predict(shop(50, seed=2)).num_columns == 5
        losses = [sum(values["loss"] for values in record.train.values()) for record in ranker.history]
        assert np.isfinite(losses).all()


def test_the_monitor_reads_predictions() -> None:
    table, test = shop(400), shop(400, seed=1)
    ranker = rank(*TASKS["entire_space"], monitor="cart_given_click.auc", epochs=2).fit(table, test)
    best = max(ranker.history, key=lambda record: record.score)
    assert ranker.evaluate(test)["cart_given_click"]["auc"] == pytest.approx(best.score)
    ranker = rank(*TASKS["entire_space"], epochs=2).fit(table, test)
    valid = ranker.history[0].valid
    joint = [valid[name]["auc"] for name in ("click", "click_and_cart", "click_and_cart_and_buy")]
    assert ranker.history[0].score == pytest.approx(np.mean(joint))
    with pytest.raises(DeclarationError, match=r"no task 'cart' \(tasks: click, cart_given_click, click_and_cart"):
        rank(*TASKS["entire_space"], monitor="cart.auc")
    with pytest.raises(DeclarationError, match="no metric 'gauc'"):
        rank(CLICK, monitor="click.gauc")


def test_a_task_within_another_is_learnt_and_judged_there_alone() -> None:
    table, test = shop(), shop(seed=1)
    ranker = rank(CLICK, gw.Binary("cart", within="click")).fit(table)
    blanked = dict(table)
    blanked["cart"] = np.where(table["click"], table["cart"], np.nan)
    again = rank(CLICK, gw.Binary("cart")).fit(blanked)
    for one, two in zip(
        ranker.scorer.model.state_dict().values(), again.scorer.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two)
    clicked, predicted = test["click"], ranker.predict(test)["cart"].to_numpy()
    expected = sk.roc_auc_score(test["cart"][clicked], predicted[clicked])
    assert ranker.evaluate(test)["cart"]["auc"] == pytest.approx(expected, abs=1e-9)


def test_metrics_within_groups_stand_beside_the_others() -> None:
    table, test = shop(), shop(seed=1)
    ranker = rank(CLICK, gw.Binary("buy", after="click"), group="user", monitor="click.gauc").fit(table, test)
    found, predicted = ranker.evaluate(test), ranker.predict(test)
    for output, rows in (("click", np.ones(1500, bool)), ("buy_given_click", test["click"])):
        label = test[output.partition("_")[0]][rows]
        values, groups = predicted[output].to_numpy()[rows], test["user"][rows]
        total = weight = skipped = 0
        for user in np.unique(groups):
            own = groups == user
            if len(np.unique(label[own])) == 2:
                total += own.sum() * sk.roc_auc_score(label[own], values[own])
                weight += own.sum()
            else:
                skipped += 1
        assert found[output]["gauc"] == pytest.approx(total / weight, abs=1e-9)
        assert found[output]["gauc_skipped"] == skipped
    assert {"ndcg@10", "mrr", "hit_rate@10"} <= set(found["click"])
    assert ranker.history[-1].valid["click"]["gauc"] is not None


@pytest.mark.parametrize("ranking", ["pairwise", "listwise"])
def test_a_ranking_loss_brings_a_groups_rows_into_one_batch(ranking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    task = gw.Binary("click", ranking=ranking, ranking_weight=0.5)
    whole = RankedBinaryTask.losses_among

    def spy(self: RankedBinaryTask, rows: object) -> object:
        seen.append(rows.groups.clone())
        return whole(self, rows)

    monkeypatch.setattr(RankedBinaryTask, "losses_among", spy)
    table = shop(600)
    ranker = rank(task, gw.Binary("buy"), group="user", epochs=2, batch_size=100).fit(table)
    epoch = seen[: len(seen) // 2]
    assert sorted(torch.cat(epoch).tolist()) == sorted(torch.cat(seen[len(seen) // 2 :]).tolist())
    batches_of = {group: sum(bool((batch == group).any()) for batch in epoch) for group in range(60)}
    assert max(batches_of.values()) == 2  # a group may lie across the edge of a batch
    assert sum(count == 1 for count in batches_of.values()) >= 55
    assert ranker.evaluate(shop(600, seed=1))["click"]["gauc"] > 0.6
    # other epochs, other order
    assert not torch.equal(torch.cat(epoch), torch.cat(seen[len(seen) // 2 :]))


def test_expectation_is_not_for_steps_of_a_funnel() -> None:
    model = gw.MMoE(ordered=["click", "buy"], expectation=1.0)
    with pytest.raises(
        DeclarationError, match="expectation: task 'buy' comes after 'click' and is never the likelier one"
    ):
        rank(CLICK, gw.Binary("buy", after="click"), model=model)
