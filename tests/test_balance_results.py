"""The script behind the table of balancing rules: what it says of a comparison whose outcome is known."""

from __future__ import annotations

from importlib import import_module
from statistics import fmean, stdev
from typing import get_args

import pytest

from gatewise import declare
from gatewise.analysis import Spread, Verdict
from gatewise.jobs import Comparison
from gatewise.jobs.contestants import Cost


@pytest.fixture(scope="module")
def results():
    return import_module("balance_results")


@pytest.fixture
def found(results) -> Comparison:
    """Return a comparison in which one rule is better with every seed, one by its mean alone, and one is worse."""
    values = dict.fromkeys([*results.RULES, "single task"], (0.5, 0.4))
    values |= {"mgda": (0.6, 0.5), "famo": (0.45, 0.6), "dwa": (0.4, 0.3), "single task": (0.5, 0.5)}
    words = {"mgda": "helps", "famo": "helps", "dwa": "hurts", "single task": "helps"}

    def verdict(who: str) -> Verdict:
        by_seed = [ours - theirs for ours, theirs in zip(values[who], values["static"], strict=True)]
        change = fmean(by_seed)
        return Verdict(
            who, "click", "auc", change, change - 0.01, change + 0.01, by_seed, words.get(who, "no evidence")
        )

    return Comparison(
        seeds=(0, 1),
        rows=10,
        level=0.95,
        against="static",
        metrics={w: {"click": {"auc": Spread(fmean(v), stdev(v), list(v))}} for w, v in values.items()},
        verdicts=[verdict(who) for who in values if who != "static"],
        over_trees=[],
        cost={who: Cost([3], 12.4, 1.0, 0.1) for who in values},
        tasks=("click",),
        affinity={},
    )


def test_every_rule_takes_part(results):
    assert set(results.RULES) == {cls().kind for cls in get_args(get_args(declare.AnyBalance)[0])}


def test_gains_are_relative_with_each_seed(results, found: Comparison):
    assert results.gains_of(found, "mgda", "static") == pytest.approx([20.0, 25.0])
    assert results.gains_of(found, "static", "single task") == pytest.approx([0.0, -20.0])


def test_a_line_a_rule_with_metric_difference_gains_and_seconds(results, found: Comparison):
    lines = results.table(found).splitlines()
    assert len(lines) == 2 + len(results.RULES) + 1
    assert "| `static` | 0.4500 ± 0.0707 |  | -10.00 ± 14.14 | 12 |" in lines
    mgda = "0.5500 ± 0.0707 (**+0.1000: +0.0900 to +0.1100**) | 22.50 ± 3.54 | 10.00 ± 14.14 | 12 |"
    assert f"| `mgda` | {mgda}" in lines
    assert "| `rlw` | 0.4500 ± 0.0707 (+0.0000: -0.0100 to +0.0100) | 0.00 ± 0.00 | -10.00 ± 14.14 | 12 |" in lines


def test_words_name_what_differs_with_every_seed(results, found: Comparison):
    assert results.in_words(found).splitlines() == [
        "- Better than static, the whole interval and with every seed: click: `mgda`.",
        "- Worse than static, the whole interval and with every seed: click: `dwa`.",
        "- $\\Delta_m$ over static, the mean over seeds: from -22.50 % (`dwa`) to +22.50 % (`mgda`); "
        "`tuned_static` +0.00 %, `rlw`, which is chance, +0.00 %.",
    ]
