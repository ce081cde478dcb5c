"""The report of a comparison."""

from __future__ import annotations

from dataclasses import asdict

from gatewise.analysis import Spread, Verdict
from gatewise.jobs.contestants import Cost
from gatewise.report import comparison_page

MODELS = ("MMoE", "single task", "LightGBM")


def verdict(model, change, word):
    return Verdict(model, "click", "auc", change, change - 0.01, change + 0.01, [change, change], word)


def comparison(over_trees):
    spread = {"click": {"auc": Spread(0.7, 0.01, [0.69, 0.71])._asdict()}}
    return {
        "seeds": [0, 1],
        "rows": 1000,
        "level": 0.95,
        "metrics": dict.fromkeys(MODELS, spread),
        "verdicts": [verdict(MODELS[0], 0.03, "helps")._asdict()],
        "over_trees": [each._asdict() for each in over_trees],
        "cost": {model: asdict(Cost([10], 1.0, 100.0, 0.001)) for model in MODELS},
        "tasks": ["click"],
        "affinity": {},
    }


def test_trees_have_a_section_of_their_own():
    trees = [verdict("MMoE", -0.02, "hurts"), verdict("single task", 0.005, "no evidence")]
    sections = {each.name: each for each in comparison_page(comparison(trees), "feed").sections}
    rows = sections["trees"].blocks[0].table.rows
    assert [row[2] for row in rows] == ["MMoE", "single task"]
    assert [row[3].value for row in rows] == [-0.02, 0.005]
    assert [row[6].value for row in rows] == ["hurts", "no evidence"]


def test_without_trees_there_is_none():
    assert "trees" not in [each.name for each in comparison_page(comparison([]), "feed").sections]
