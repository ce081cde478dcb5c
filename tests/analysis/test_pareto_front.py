"""The front holds what nothing beats, and all of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gatewise.analysis import Candidate, FusionFront, knee, pareto_front
from gatewise.errors import DeclarationError


def dominates(a: list[float], b: list[float]) -> bool:
    return a != b and all(x >= y for x, y in zip(a, b, strict=True))


@given(st.integers(1, 4).flatmap(lambda goals: arrays(float, (12, goals), elements=st.integers(0, 4).map(float))))
def test_exactly_what_nothing_dominates_is_on_the_front(values):
    points = values.tolist()
    front = pareto_front(values)
    on = [points[place] for place in front]
    assert on == sorted(on, reverse=True)
    assert all(on.count(point) == 1 for point in on)
    for point in points:
        assert (point in on) == (not any(dominates(other, point) for other in points))
    assert all(points.index(points[place]) == place for place in front)


def test_one_goal_has_one_best():
    assert pareto_front(np.array([[0.2], [0.9], [0.9]])) == [1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1, 0], [0.9, 0.8], [0, 1]], 1),
        ([[100, 0.0], [60, 0.9], [0, 1]], 1),  # whatever the units
        ([[1, 0], [0.1, 0.2], [0, 1]], 0),  # a bulge inwards is no knee
        ([[0.5, 0.5]], 0),
        ([[0.7, 0.3, 0.5], [0.6, 0.4, 0.5]], 0),  # a goal that is the same everywhere
    ],
)
def test_the_knee_is_nearest_to_the_best_of_all_goals(values, expected):
    assert knee(np.array(values, dtype=float)) == expected


def found(*values: tuple[float, float]) -> FusionFront:
    tried = [Candidate(f"{place} * a", (float(place),), each) for place, each in enumerate(values)]
    return FusionFront.of(["auc:a", "auc:b"], 7, tried)


def test_points_are_chosen_by_number_or_as_the_knee():
    front = found((0.1, 0.1), (0.9, 0.1), (0.8, 0.8), (0.1, 0.9))
    assert [each.expression for each in front.front] == ["1 * a", "2 * a", "3 * a"]
    assert front.current.expression == "0 * a"
    assert front.choose().expression == front.choose("knee").expression == front.choose(2).expression == "2 * a"
    assert front.choose("3").expression == "3 * a"
    assert [name for name, _ in front.points()] == ["current", "1", "2 knee", "3"]
    assert front.to_dict()["front"][0] == {"expression": "1 * a", "weights": (1.0,), "values": (0.9, 0.1)}
    for wrong in (0, 4, "4", "-1", "best", "1.0"):
        with pytest.raises(DeclarationError, match=f"^choose: expected knee or .*, found {wrong}$"):
            front.choose(wrong)
