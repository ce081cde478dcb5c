"""Towers of one shape, of a shape per task, and towers that read other tasks' towers."""

from __future__ import annotations

import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.nn import Hidden, LinkedTowers, Towers, make_towers

HIDDEN = Hidden("tanh")


def by_hand(towers: LinkedTowers, x: torch.Tensor) -> torch.Tensor:
    """Return the outputs of each tower by itself."""
    last, outputs = {}, {}
    for stage, group in zip(towers.stages, towers.towers, strict=True):
        for place, task in enumerate(stage):
            value = torch.cat([x[:, task], *(last[other] for other in towers.reads[task])], dim=1)
            for layer in group.hidden.layers:
                if hasattr(layer, "weight"):
                    value = torch.tanh(value @ layer.weight[place].T + layer.bias[place])
            last[task] = value
            own = group.task_of_output == place
            outputs[task] = value @ group.weight[own].T + group.bias[own]
    return torch.cat([outputs[task] for task in range(len(outputs))], dim=1)


@pytest.mark.parametrize(
    ("dims", "reads"),
    [
        (((4,), (5, 3), (4,)), ()),
        (((4,), (4,), (4,)), ((), (0,), (1, 0))),
        (((4,), (4,), (4,)), ((2,), (2,), ())),
        (((), (5,), ()), ((1,), (), (0,))),
    ],
)
@pytest.mark.parametrize("batch", [0, 1, 7])
def test_every_tower_by_itself(
    dims: tuple[tuple[int, ...], ...], reads: tuple[tuple[int, ...], ...], batch: int
) -> None:
    torch.manual_seed(0)
    towers = LinkedTowers(3, 6, dims, (1, 3, 2), reads=reads, hidden=HIDDEN)
    x = torch.randn(batch, 3, 6)
    assert towers(x).shape == (batch, 6)
    torch.testing.assert_close(towers(x), by_hand(towers, x))


def test_towers_of_equal_shape_stay_one_product() -> None:
    towers = LinkedTowers(5, 6, ((4,), (4,), (8,), (4,), (4,)), reads=((), (), (), (0,), (1,)))
    assert towers.stages == [(0, 1), (2,), (3, 4)]


def test_a_read_tower_is_trained_by_its_readers() -> None:
    towers = LinkedTowers(2, 3, ((4,), (4,)), reads=((), (0,)), hidden=HIDDEN)
    towers(torch.randn(5, 2, 3))[:, 1].sum().backward()
    first, second = (group.hidden.layers[0].weight.grad.abs().sum() for group in towers.towers)
    assert first > 0
    assert second > 0


def test_biases_start_at_each_tasks_place() -> None:
    biases = torch.arange(6.0)
    for towers in (
        Towers(3, 2, (4,), (1, 3, 2)),
        LinkedTowers(3, 2, ((4,), (), (2,)), (1, 3, 2), reads=((2,), (), ())),
    ):
        towers.start_at(biases)
        for parameter in towers.parameters():
            if parameter.dim() > 1:
                parameter.data.zero_()
        assert towers(torch.ones(1, 3, 2)).tolist() == [biases.tolist()]


def test_one_shape_for_all_tasks_is_one_product_however_it_is_given() -> None:
    assert isinstance(make_towers(2, 3, [4, 5]), Towers)
    assert isinstance(make_towers(2, 3, [[4, 5], [4, 5]]), Towers)
    assert isinstance(make_towers(2, 3, [[4, 5], [4]]), LinkedTowers)
    assert isinstance(make_towers(2, 3, [4], reads=((1,), ())), LinkedTowers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": ((4,),)}, "dims: expected 2 entries, one per task, found 1"),
        ({"reads": ((),)}, "reads: expected 2 entries, one per task, found 1"),
        ({"output_dims": (1, 2, 3)}, "output_dims: expected 2 entries, one per task, found 3"),
        ({"reads": ((1,), (0,))}, r"reads: towers \[0, 1\] read each other in a circle"),
        ({"reads": ((0,), ())}, r"reads: towers \[0\] read each other in a circle"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        LinkedTowers(2, 3, **{"dims": ((4,), (5,))} | options)
