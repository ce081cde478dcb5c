"""Whether models were trained long enough for a verdict."""

from __future__ import annotations

import pytest

import gatewise as gw
from gatewise.analysis import Epochs, Verdict, epochs_of, joined_epochs, note_of, unfinished_tasks, worded
from gatewise.assembly import build_tasks
from gatewise.history import EpochRecord

TASKS = build_tasks(gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Binary("like")]))


def history(*scores: float | None) -> list[EpochRecord]:
    best = [score is not None and score == max(scores[: i + 1]) for i, score in enumerate(scores)]
    return [
        EpochRecord(i + 1, 0.1, 1.0, 1.0, {}, score=s, best=b)
        for i, (s, b) in enumerate(zip(scores, best, strict=True))
    ]


@pytest.mark.parametrize(
    ("scores", "declared", "expected"),
    [
        # the last of all declared epochs is the best one
        ((0.5, 0.6, 0.7), 3, Epochs(["click"], [3], [3], [True])),
        ((0.5,), 1, Epochs(["click"], [1], [1], [True])),
        # early stopping ended it, or the best epoch lies before
        ((0.5, 0.6, 0.55), 9, Epochs(["click"], [2], [3], [False])),
        ((0.5, 0.6, 0.55), 3, Epochs(["click"], [2], [3], [False])),
        # a learning rate that falls to nothing ends learning
        ((0.5, 0.7, 0.7001), 3, Epochs(["click"], [3], [3], [False])),
        ((None, None), 2, None),
    ],
)
def test_epochs_of_a_training(scores, declared, expected):
    assert epochs_of(history(*scores), declared, ["click"]) == expected


def of(*unfinished: bool, task: str = "click") -> Epochs:
    return Epochs([task], [1] * len(unfinished), [1] * len(unfinished), list(unfinished))


def test_trainings_of_one_model_are_joined_by_model():
    assert joined_epochs([[of(True), of(False, task="like")]] * 2) == [of(True, True), of(False, False, task="like")]
    assert joined_epochs([[], []]) == []


def test_a_model_is_unfinished_where_most_of_its_trainings_are():
    found = {"most": [of(True, True, False)], "half": [of(True, False)], "trees": []}
    assert unfinished_tasks(found | {"alone": [of(False), of(True, task="like")]}) == {
        "most": ["click"],
        "alone": ["like"],
    }


def verdict(contestant: str, output: str, word: str) -> Verdict:
    return Verdict(contestant, output, "auc", 0.1, 0.0, 0.2, [0.1], word)


@pytest.mark.parametrize(
    ("unfinished", "words"),
    [
        ({}, ["helps", "no evidence", "better", "worse"]),
        ({"MMoE": ["click"]}, ["not trained to the end", "no evidence", "better", "worse"]),
        # what is compared with an unfinished model has no verdict either, on this task
        ({"alone": ["click"]}, ["not trained to the end", "no evidence", "not trained to the end", "worse"]),
    ],
)
def test_no_verdict_says_more_than_the_trainings_allow(unfinished, words):
    found = [
        verdict("MMoE", "click", "helps"),
        verdict("MMoE", "like", "no evidence"),
        verdict("LightGBM", "click", "helps"),
        verdict("LightGBM", "like", "hurts"),
    ]
    assert [each.verdict for each in worded(found, "alone", TASKS, unfinished, ["LightGBM"])] == words


def test_over_trees_nothing_helps():
    found = [verdict("MMoE", "click", "helps"), verdict("alone", "like", "hurts")]
    assert [each.verdict for each in worded(found, "LightGBM", TASKS, {}, ["LightGBM"])] == ["better", "worse"]


def test_the_note_names_contestants_and_tasks_and_what_to_do():
    note = note_of({"MMoE": ["click", "like"], "alone": ["like"]})
    assert note.startswith("NOT TRAINED TO THE END: MMoE (click, like); alone (like).")
    assert "--set training.epochs=" in note
    assert note_of({}) == ""
