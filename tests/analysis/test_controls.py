from __future__ import annotations

import pytest

from gatewise import PLE, MMoE, SharedBottom, SingleTask
from gatewise.analysis import control_of, nearest_width, resized


@pytest.mark.parametrize("kind", [SharedBottom, SingleTask])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_controls_have_the_same_depth_and_options(kind, norm):
    architecture = MMoE(experts=8, expert_dims=[64, 32], tower_dims=[16], dropout=0.1, norm=norm)
    control = control_of(kind, architecture)
    assert control == kind(bottom_dims=[64, 32], tower_dims=[16], dropout=0.1, norm=norm)


def test_a_control_comes_near_to_a_size_and_keeps_its_proportions():
    def weights(control):
        first, second = control.bottom_dims
        return 80 * first + first * second

    control = resized(control_of(SharedBottom, MMoE(expert_dims=[64, 32])), weights, 30_000)
    first, second = control.bottom_dims
    assert weights(control) == pytest.approx(30_000, rel=0.01)
    assert second == round(first / 2)


@pytest.mark.parametrize(("budget", "width"), [(1, 1), (27, 5), (30, 5), (31, 6), (10_000, 100)])
def test_the_nearest_width(budget, width):
    assert nearest_width(lambda w: w * w, budget) == width


def test_levels_of_their_own_widths_are_one_deep_bottom_and_keep_their_proportions():
    architecture = PLE(expert_dims=[[64, 32], [16]])
    assert control_of(SharedBottom, architecture).bottom_dims == (64, 32, 16)
    half = resized(architecture, lambda model: sum(map(sum, model.expert_dims)), 56)
    assert half.expert_dims == ((32, 16), (8,))
