from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from gatewise.training import Schedule, cosine, plateau, step_decay

Make = Callable[[torch.optim.Optimizer], Schedule]


def new_optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)


def rates(make: Make, epochs: int, steps: int, scores: list[float | None] | None = None) -> list[list[float]]:
    """Return the rate of every step, epoch by epoch."""
    optimizer = new_optimizer()
    schedule, found = make(optimizer), []
    for epoch in range(epochs):
        found.append([])
        for _ in range(steps):
            found[-1].append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.after_step()
        schedule.after_epoch(scores[epoch] if scores else None)
    return found


def flat(lists: list[list[float]]) -> list[float]:
    return [rate for epoch in lists for rate in epoch]


def test_no_schedule() -> None:
    assert flat(rates(lambda _: Schedule(), 2, 3)) == [0.1] * 6


@pytest.mark.parametrize(
    ("unit", "every", "expected"),
    [
        ("epoch", 1, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025]),
        ("epoch", 2, [0.1] * 6 + [0.05] * 3),
        ("step", 2, [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625]),
    ],
)
def test_step_decay(unit: str, every: int, expected: list[float]) -> None:
    found = rates(lambda o: step_decay(o, every=every, factor=0.5, unit=unit), 3, 3)
    assert flat(found) == pytest.approx(expected)


def fall(u: float, floor: float) -> float:
    return 0.1 * (floor + (1 - floor) * (1 + math.cos(math.pi * u)) / 2)


@pytest.mark.parametrize(
    ("warmup", "floor", "expected"),
    [
        # two of eight steps rise to the full rate, which the third has; the last has the floor
        (0.25, 0.1, [0.1 / 3, 0.2 / 3, *(fall(k / 5, 0.1) for k in range(6))]),
        (0.0, 0.0, [fall(k / 7, 0.0) for k in range(8)]),
        (0.0, 1.0, [0.1] * 8),
    ],
)
def test_cosine_by_step(warmup: float, floor: float, expected: list[float]) -> None:
    found = flat(rates(lambda o: cosine(o, total=8, warmup=warmup, floor=floor, unit="step"), 2, 4))
    assert found == pytest.approx(expected)
    assert found[-1] == pytest.approx(0.1 * floor)
    assert max(found) == pytest.approx(0.1)


def test_cosine_by_epoch() -> None:
    found = rates(lambda o: cosine(o, total=5, warmup=0.2, floor=0.0, unit="epoch"), 5, 2)
    by_epoch = [0.05, 0.1, 0.1 * 0.75, 0.1 * 0.25, 0.0]
    assert found == [[pytest.approx(rate)] * 2 for rate in by_epoch]


@pytest.mark.parametrize("total", [1, 2, 3])
def test_cosine_of_few_steps(total: int) -> None:
    found = flat(rates(lambda o: cosine(o, total=total, warmup=0.05, floor=0.2, unit="step"), 1, total + 2))
    assert found[0] == pytest.approx(0.1)
    assert found[total:] == pytest.approx([0.02, 0.02])


@pytest.mark.parametrize(
    ("patience", "scores", "expected"),
    [
        (0, [0.5, 0.6, 0.6, 0.7, 0.1], [0.1, 0.1, 0.1, 0.05, 0.05]),
        (1, [0.5, 0.4, 0.5, 0.6, 0.6], [0.1, 0.1, 0.1, 0.05, 0.05]),
        (0, [-3.0, -2.0, -1.0, -1.5, -1.2], [0.1, 0.1, 0.1, 0.1, 0.05]),
        (0, [0.5, 0.500001, 0.500002, 0.500003, 0.500004], [0.1] * 5),
        (0, [None] * 5, [0.1] * 5),
    ],
)
def test_plateau(patience: int, scores: list[float | None], expected: list[float]) -> None:
    found = rates(lambda o: plateau(o, patience=patience, factor=0.5), 5, 2, scores)
    assert found == [[pytest.approx(rate)] * 2 for rate in expected]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: Schedule(),
        lambda o: step_decay(o, every=3, factor=0.5, unit="step"),
        lambda o: cosine(o, total=12, warmup=0.25, floor=0.1, unit="step"),
        lambda o: cosine(o, total=3, warmup=0.4, floor=0.1, unit="epoch"),
        lambda o: plateau(o, patience=0, factor=0.5),
    ],
)
@pytest.mark.parametrize("stopped_after", [1, 2])
def test_state_carries_on(make: Make, stopped_after: int) -> None:
    def run(optimizer: torch.optim.Optimizer, schedule: Schedule, epochs: range) -> list[float]:
        found = []
        for epoch in epochs:
            for _ in range(4):
                found.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                schedule.after_step()
            schedule.after_epoch([0.5, 0.4, 0.6][epoch])
        return found

    whole = new_optimizer()
    expected = run(whole, make(whole), range(3))
    first, second = new_optimizer(), new_optimizer()
    schedule = make(first)
    found = run(first, schedule, range(stopped_after))
    resumed = make(second)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(plain(schedule.state_dict()))
    assert found + run(second, resumed, range(stopped_after, 3)) == expected


def plain(state: dict[str, Any]) -> dict[str, Any]:
    """Refuse what a checkpoint that executes nothing cannot hold."""
    kinds = (int, float, list, type(None))
    assert all(isinstance(value, kinds) for value in state.values()), state
    return state
