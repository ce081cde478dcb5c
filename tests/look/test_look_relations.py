"""Leaks, copies and funnels are found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.look import profile
from gatewise.look.alone import auc_alone, r2_alone, ranks

RNG = np.random.default_rng(0)
ROWS = 3000
CLICK = RNG.integers(0, 2, ROWS)
NOISE = RNG.normal(size=ROWS)
TOLD = CLICK + 0.6 * RNG.normal(size=ROWS)


def leaks(table, tasks=("click",)):
    return {leak.column: leak.level for leak in profile(table, list(tasks)).relations.leaks}


def test_auc_alone_is_half_for_noise_and_one_for_the_label():
    target = CLICK.astype(float)
    assert auc_alone(RNG.integers(0, 500, ROWS), target) == pytest.approx(0.5, abs=0.05)
    assert auc_alone(CLICK, target) == 1.0
    assert auc_alone(CLICK, np.where(RNG.random(ROWS) < 0.5, np.nan, target)) == 1.0
    assert auc_alone(CLICK, np.zeros(ROWS)) is None


def test_r2_alone_is_the_share_of_the_variance():
    cell = RNG.integers(0, 4, ROWS)
    assert r2_alone(cell, cell + RNG.normal(size=ROWS)) == pytest.approx(1.25 / 2.25, abs=0.05)
    assert r2_alone(RNG.integers(0, 4, ROWS), NOISE) == pytest.approx(0.0, abs=0.02)
    assert r2_alone(cell, np.ones(ROWS)) is None


def test_ranks_are_those_of_equal_values_too():
    assert ranks(np.array([3.0, np.nan, 1.0, 3.0])).tolist()[2] == 0.0
    assert ranks(np.array([3.0, 1.0, 3.0]))[[0, 2]].tolist() == [0.75, 0.75]


@pytest.mark.parametrize(
    ("column", "level"),
    [
        (CLICK * 7.0, "decides"),
        (CLICK + 0.1 * NOISE, "decides"),
        (np.where(CLICK == 1, "yes", "no"), "decides"),
        # a time that is null without the event
        ([1.5 if click else None for click in CLICK], "decides"),
        # set beside a tenth of the ones: an AUC of 0.55, and still known only after the event
        (np.where((CLICK == 1) & (RNG.random(ROWS) < 0.1), 3.0, 0.0), "decides"),
        (CLICK + 0.4 * NOISE, "suspect"),
        (TOLD, None),
        (NOISE, None),
        (RNG.integers(0, 300, ROWS), None),
    ],
)
def test_leaks_of_a_binary_label(column, level):
    assert leaks({"x": NOISE, "column": column, "click": CLICK}).get("column") == level


def test_leaks_of_numbers_and_classes():
    wage = RNG.lognormal(size=ROWS)
    table = {"log_wage": np.log(wage), "about": np.log(wage) + 2 * NOISE, "wage": wage}
    assert leaks(table, ["wage"]) == {"log_wage": "decides"}
    kind = np.array(["a", "b", "c"])[RNG.integers(0, 3, ROWS)]
    assert leaks({"code": np.char.add(kind, "1"), "x": NOISE, "kind": kind}, ["kind"]) == {"code": "decides"}


def test_copies_are_found_exact_and_near():
    city = RNG.integers(0, 30, ROWS)
    x = RNG.normal(size=ROWS)
    table = {
        "city": city,
        "name": np.array([f"town {each}" for each in city]),
        "euros": x,
        "cents": x * 100 + 3,
        "rounded": (x * 20).round(),
        "other": RNG.normal(size=ROWS),
        "click": CLICK,
    }
    found = {each.column: (each.of, each.exact) for each in profile(table, ["click"]).relations.duplicates}
    assert found == {"name": ("city", True), "cents": ("euros", True), "rounded": ("euros", False)}


def test_funnels_are_found_and_chance_is_none():
    buy = CLICK * RNG.integers(0, 2, ROWS)
    table = {
        "x": NOISE,
        "click": CLICK,
        "buy": buy,
        "like": RNG.integers(0, 2, ROWS),
        "revenue": buy * RNG.lognormal(size=ROWS),
    }
    found = profile(table, ["click", "buy", "like", "revenue"]).relations.steps
    assert {(step.after, step.before) for step in found} == {("buy", "click"), ("revenue", "buy")}
    # as rare as it is, a usual label is 1 beside it by chance
    usual, rare = (RNG.random(ROWS) < 0.94) * 1, np.zeros(ROWS, int)
    rare[np.flatnonzero(usual)[:40]] = 1
    assert profile({"x": NOISE, "a": usual, "b": rare}, ["a", "b"]).relations.steps == ()


def test_correlation_of_labels():
    found = profile({"x": NOISE, "click": CLICK, "told": TOLD}, ["click", "told"]).relations
    assert found.labels == ("click", "told")
    assert found.correlation[0][0] == pytest.approx(1.0)
    assert 0.5 < found.correlation[0][1] < 0.9
