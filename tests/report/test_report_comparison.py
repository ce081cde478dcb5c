"""The report of a comparison."""

from __future__ import annotations

from dataclasses import asdict

from gatewise.analysis import Epochs, Spread, Verdict
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


def test_models_that_were_not_trained_to_the_end_are_a_loud_note_above_the_verdicts():
    cost = {model: asdict(Cost([10], 1.0, 100.0, 0.001, [Epochs(["click"], [9], [10], [False])])) for model in MODELS}
    page = comparison_page(comparison([]) | {"unfinished": {"MMoE": ["click"]}, "cost": cost}, "feed")
    sections = {each.name: each for each in page.sections}
    note, verdicts = sections["verdicts"].blocks
    assert note.tone == "bad"
    assert note.text.startswith("NOT TRAINED TO THE END: MMoE (click).")
    assert verdicts.table.headings[-1] == "verdict"
    assert [row[1] for row in sections["cost"].blocks[0].table.rows] == ["9 of 10"] * 3


def test_a_comparison_of_an_earlier_version_has_a_page():
    found = comparison([])
    found["cost"] = {who: {k: v for k, v in cost.items() if k != "epochs"} for who, cost in found["cost"].items()}
    assert len({each.name: each for each in comparison_page(found, "feed").sections}["verdicts"].blocks) == 1


def test_trees_are_better_or_worse_and_help_nobody():
    found = comparison([])
    found["verdicts"] = [verdict("LightGBM", 0.03, "better")._asdict(), verdict("MMoE", 0.03, "helps")._asdict()]
    tiles = {tile.name: tile.value.value for tile in comparison_page(found, "feed").tiles}
    assert tiles == {"LightGBM": "better 1 of 1", "MMoE": "helps 1 of 1"}


def test_a_summary_says_in_words_whom_a_model_helps():
    found = comparison([])
    found["verdicts"] = [
        Verdict("MMoE", output, "auc", change, change - 0.01, change + 0.01, [change] * 2, word)._asdict()
        for output, change, word in (
            ("a", 0.1, "helps"),
            ("b", -0.1, "hurts"),
            ("c", 0, "no evidence"),
            ("d", 0, "no evidence"),
        )
    ]
    (words, *_) = comparison_page(found, "feed").sections
    (note,) = words.blocks
    assert note.text.startswith("MMoE: helps 1, hurts 1, no difference 2. Helps: a; hurts: b;")


def test_a_verdict_smaller_than_the_spread_between_seeds_is_marked():
    found = comparison([])
    found["verdicts"] = [Verdict("MMoE", "click", "auc", 0.01, 0.001, 0.02, [0.05, -0.03], "helps")._asdict()]
    sections = {each.name: each for each in comparison_page(found, "feed").sections}
    (row,) = sections["verdicts"].blocks[0].table.rows
    assert (row[6].value, row[6].tone, row[6].beside) == ("helps", "quiet", " (within seeds)")
    assert "Smaller than the spread between seeds: click." in sections["words"].blocks[0].text


def test_numbers_of_one_metric_have_as_many_digits():
    found = comparison([])
    found["verdicts"] = [Verdict("MMoE", "click", "auc", 0.00001, -0.123456, 0.5, [0.0, 0.0], "no evidence")._asdict()]
    (row,) = {each.name: each for each in comparison_page(found, "feed").sections}["verdicts"].blocks[0].table.rows
    assert [cell.shown for cell in row[3:6]] == ["+0.0000", "-0.1235", "+0.5000"]


def test_without_trees_there_is_none():
    assert "trees" not in [each.name for each in comparison_page(comparison([]), "feed").sections]
