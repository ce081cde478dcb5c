"""The picture of a front shows every point and where one stands."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.analysis import Candidate, FusionFront

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

from gatewise.plots import fusion_front

VALUES = [(0.2, 0.2, 0.5), (0.9, 0.1, 0.5), (0.8, 0.8, 0.4), (0.1, 0.9, 0.6), (0.3, 0.1, 0.1), (0.895, 0.11, 0.5)]


def found(goals: int) -> FusionFront:
    names = ["auc:a", "auc:b_$", "auc:c"][:goals]
    tried = [Candidate(f"{k} * a", (float(k),), each[:goals]) for k, each in enumerate(VALUES)]
    return FusionFront.of(names, 7, tried)


def drawn(front: FusionFront, *goals: tuple[int, int]):
    ax = fusion_front(front, *goals, ax=Figure().add_subplot())
    return ax, {line.get_label(): np.array(line.get_xydata()).tolist() for line in ax.lines}


def test_what_was_tried_the_front_its_knee_and_the_current_weights_are_there():
    ax, lines = drawn(found(2))
    assert lines["tried"] == [list(each[:2]) for each in VALUES]
    assert lines["front"] == [[0.9, 0.1], [0.895, 0.11], [0.8, 0.8], [0.1, 0.9]]
    assert lines["knee"] == [[0.8, 0.8]]
    assert lines["current"] == [[0.2, 0.2]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("auc:a", r"auc:b_\$")
    # the second point lies beside the first: two numbers would cover each other
    assert [text.get_text() for text in ax.texts] == ["1", "3", "4"]


def test_any_two_of_several_goals_are_shown():
    front = found(3)
    ax, lines = drawn(front, (2, 0))
    assert lines["tried"] == [[each[2], each[0]] for each in VALUES]
    assert sorted(lines["front"]) == sorted([each.values[2], each.values[0]] for each in front.front)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("auc:c", "auc:a")
    front_line = next(line for line in ax.lines if line.get_label() == "front")
    assert front_line.get_linestyle() == "None"
