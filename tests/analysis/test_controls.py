from __future__ import annotations

import pytest

from gatewise import MMoE, SharedBottom, SingleTask
from gatewise.analysis import dense_parameters, matched_control, nearest_width
from gatewise.assembly import Surroundings
from gatewise.layout import Layout
from gatewise.nn import InputLayer


def around(width):
    return Surroundings(InputLayer(Layout(floats=tuple(f"x{i}" for i in range(width)))), ("click", "buy"))


def test_dense_parameters_counts_trunk_and_towers():
    # experts 2 (5*4 + 4), gates 2 (5*2), towers 2 (4*3 + 3), outputs 2 (3 + 1)
    architecture = MMoE(experts=2, expert_dims=[4], tower_dims=[3])
    assert dense_parameters(architecture, around(5)) == 2 * 24 + 2 * 10 + 2 * 15 + 2 * 4


@pytest.mark.parametrize("kind", [SharedBottom, SingleTask])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_controls_have_the_same_depth_options_and_nearly_the_same_size(kind, norm):
    architecture = MMoE(experts=8, expert_dims=[64, 32], tower_dims=[16], dropout=0.1, norm=norm)
    budget = dense_parameters(architecture, around(80))
    control = matched_control(kind, architecture, around(80), budget)
    assert len(control.bottom_dims) == 2
    assert (control.dropout, control.norm, control.tower_dims) == (0.1, norm, (16,))
    assert dense_parameters(control, around(80)) == pytest.approx(budget, rel=0.01)


@pytest.mark.parametrize(("budget", "width"), [(1, 1), (27, 5), (30, 5), (31, 6), (10_000, 100)])
def test_the_nearest_width(budget, width):
    assert nearest_width(lambda w: w * w, budget) == width
