from __future__ import annotations

import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.nn import CrossStitch, SingleTask


def test_identity_stitches_are_separate_stacks() -> None:
    torch.manual_seed(0)
    trunk, apart = CrossStitch(4, 3, layer_dims=(5, 2)), SingleTask(4, 3, bottom_dims=(5, 2))
    linears = [layer for layer in apart.bottoms.layers if hasattr(layer, "weight")]
    with torch.no_grad():
        for stitch in trunk.stitches:
            stitch.copy_(torch.eye(3))
        for layer, own in zip(trunk.layers, linears, strict=True):
            own.weight.copy_(layer.layers[0].weight)
            own.bias.copy_(layer.layers[0].bias.normal_())
    x = torch.randn(7, 4)
    torch.testing.assert_close(trunk(x), apart(x), atol=1e-6, rtol=0)


def test_stitches_by_hand() -> None:
    """Two tasks, one number wide, two layers; no unit is dead."""
    x, weights, biases = 0.5, [[1.2, -0.8], [0.9, 0.7]], [[0.1, 1.0], [0.3, -0.1]]
    stitches = [[[0.7, 0.2], [-0.1, 1.1]], [[1.3, -0.4], [0.25, 0.5]]]
    hidden = [x, x]
    for w, b, stitch in zip(weights, biases, stitches, strict=True):
        own = [max(w[k] * hidden[k] + b[k], 0.0) for k in range(2)]
        assert min(own) > 0.1
        hidden = [stitch[k][0] * own[0] + stitch[k][1] * own[1] for k in range(2)]

    trunk = CrossStitch(1, 2, layer_dims=(1, 1))
    with torch.no_grad():
        for layer, own, w, b, stitch in zip(trunk.layers, trunk.stitches, weights, biases, stitches, strict=True):
            layer.layers[0].weight.copy_(torch.tensor(w).view(2, 1, 1))
            layer.layers[0].bias.copy_(torch.tensor(b).view(2, 1))
            own.copy_(torch.tensor(stitch))
    assert trunk(torch.tensor([[x]])).flatten().tolist() == pytest.approx(hidden, abs=1e-6)


@pytest.mark.parametrize(("tasks", "self_weight", "other"), [(1, 1.0, 0.0), (2, 0.9, 0.1), (5, 0.6, 0.1)])
def test_stitches_start_near_the_identity(tasks: int, self_weight: float, other: float) -> None:
    trunk = CrossStitch(3, tasks, layer_dims=(2, 2), self_weight=0.9 if tasks == 1 else self_weight)
    expected = torch.full((tasks, tasks), other).fill_diagonal_(self_weight)
    for stitch in trunk.stitches:
        torch.testing.assert_close(stitch.data, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer_dims": ()}, "layer_dims: expected one layer or more"),
        ({"self_weight": 0.0}, "self_weight: expected a share above 0 and up to 1, found 0.0"),
        ({"self_weight": 1.5}, "self_weight: expected a share above 0 and up to 1, found 1.5"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        CrossStitch(4, 2, **options)
