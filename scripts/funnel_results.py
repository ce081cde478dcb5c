"""Write the section of docs/results on conversion rates over all impressions: a made-up shop whose rates are known.

python scripts/funnel_results.py [--seeds 5] [--rows 200000]
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from typing import NamedTuple

import numpy as np
from results_page import machine, write_section

import gatewise as gw

ITEMS, USERS = 1_500, 2_000
WAYS = {
    "alone": "a model of purchases alone, trained on clicked rows",
    "observed": "`learn: observed`",
    "entire_space": "`learn: entire_space`",
    "ips": "`learn: ips`",
    "dr": "`learn: dr`",
}
TEXT = """## Conversion rates over all impressions

`make funnels` ({seeds} seeds, each its own shop: mean, and range in brackets)

{machine}. Each shop has {items:,} items, {users:,} users, {rows:,} impressions for training and a fifth of that for
validation and for the test. What makes an item clicked also makes it bought (correlation 0.9), so clicked
rows convert more often ({clicked:.1%}) than all impressions would ({all:.1%}), and items that are hardly clicked show
hardly any purchase. The
model sees ids alone: embeddings of width 8, `SharedBottom(bottom_dims=[32], tower_dims=[])`, the same for every way.

| learnt by | mean predicted rate / true rate, all impressions | clicked impressions | correlation with the true rates |
|---|---|---|---|
{rows_of_table}

The true rates are known because the shop is made up; no model saw them. Real impressions without a click have none.
"""


class Shop(NamedTuple):
    """Impressions, and the probability with which each would convert if it were clicked."""

    table: dict[str, np.ndarray]
    rates: np.ndarray


def shop(rows: int, world: int, draw: int) -> Shop:
    """Draw impressions of a world; the same world with another draw gives other impressions of the same items."""
    fixed, fresh = np.random.default_rng([world, 0]), np.random.default_rng([world, draw])
    tastes = {}
    for name, count, spread in (("item", ITEMS, 2.0), ("user", USERS, 0.7)):
        liked = fixed.normal(size=count)
        bought = 0.9 * liked + (1 - 0.9**2) ** 0.5 * fixed.normal(size=count)
        tastes[name] = spread * liked, spread * bought
    item, user = fresh.integers(0, ITEMS, rows), fresh.integers(0, USERS, rows)
    click_odds = -3.0 + tastes["item"][0][item] + tastes["user"][0][user]
    rates = 1 / (1 + np.exp(2.0 - tastes["item"][1][item] - tastes["user"][1][user]))
    click = fresh.random(rows) < 1 / (1 + np.exp(-click_odds))
    purchase = click & (fresh.random(rows) < rates)
    return Shop({"item": item, "user": user, "click": click, "purchase": purchase}, rates)


def clicked(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the rows with a click."""
    return {name: column[table["click"]] for name, column in table.items()}


def predicted(way: str, train: Shop, valid: Shop, test: Shop, seed: int) -> np.ndarray:
    """Train one way and return the predicted conversion rate of every test impression."""
    features = [gw.Categorical("item", dim=8), gw.Categorical("user", dim=8)]
    if way == "alone":
        tasks, tables, column = [gw.Binary("purchase")], [clicked(part.table) for part in (train, valid)], "purchase"
    else:
        tasks = [gw.Binary("click"), gw.Binary("purchase", after="click", learn=way)]
        tables, column = [train.table, valid.table], "purchase_given_click"
    ranker = gw.Ranker(
        gw.Schema(features, tasks),
        gw.SharedBottom(bottom_dims=[32], tower_dims=[]),
        epochs=10,
        batch_size=1024,
        lr=2e-3,
        patience=1,
        seed=seed,
    )
    return ranker.fit(*tables, progress=False).predict(test.table)[column].to_numpy()


def main() -> None:
    """Run everything and write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    warnings.simplefilter("ignore", gw.GatewiseWarning)
    found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    true: list[tuple[float, float]] = []
    for seed in range(options.seeds):
        train, valid, test = (shop(options.rows // part, seed, draw) for draw, part in ((1, 1), (2, 5), (3, 5)))
        seen = test.table["click"]
        true.append((float(test.rates[seen].mean()), float(test.rates.mean())))
        for way in WAYS:
            rates = predicted(way, train, valid, test, seed)
            ratios = rates.mean() / test.rates.mean(), rates[seen].mean() / test.rates[seen].mean()
            found[way].append((*ratios, float(np.corrcoef(rates, test.rates)[0, 1])))
            print(f"seed {seed}: {way}: {found[way][-1]}", flush=True)
    lines = [
        f"| {WAYS[way]} | {' | '.join(_cell([run[i] for run in runs]) for i in range(3))} |"
        for way, runs in found.items()
    ]
    text = TEXT.format(
        seeds=options.seeds,
        machine=machine(),
        items=ITEMS,
        users=USERS,
        rows=options.rows,
        clicked=statistics.mean(pair[0] for pair in true),
        all=statistics.mean(pair[1] for pair in true),
        rows_of_table="\n".join(lines),
    )
    write_section("funnels", text)


def _cell(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
