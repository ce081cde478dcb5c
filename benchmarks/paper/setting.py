"""One point of the map: a model, its problem and how it is trained, for many seeds at once."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from models import Stacked
from problems import Problems
from torch import Tensor

TEST_ROWS = 10_000


@dataclass(frozen=True)
class Setting:
    """What the paper leaves open, and what it varies.

    Attributes:
        kind: ``mmoe``, ``omoe`` or ``shared_bottom``.
        cosine: of the tasks' weights.
        lr: Adam's rate.
        batch: rows of a batch.
        rows: rows of training data, repeated; None: fresh rows at every step.
        steps: how many.
        seeds: how many.
        remedies: some of those that ``models`` knows, and ``cosine_lr``: a rate that falls to 0.
    """

    kind: str
    cosine: float
    lr: float
    batch: int
    rows: int | None
    steps: int
    seeds: int
    remedies: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A name for what keeps its results."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def final_losses(setting: Setting) -> list[float]:
    """Train all seeds of a setting and return each one's loss on fresh rows, the mean of both tasks."""
    problems = Problems(setting.cosine, range(setting.seeds))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Stacked(setting.kind, range(setting.seeds), setting.remedies)
        optimizer = torch.optim.Adam(model.parameters(), setting.lr, fused=True)
        for step, (x, y) in enumerate(_batches(problems, setting)):
            if "cosine_lr" in setting.remedies:
                optimizer.param_groups[0]["lr"] = setting.lr * (1 + math.cos(math.pi * step / setting.steps)) / 2
            optimizer.zero_grad(set_to_none=True)
            # summed over seeds: each one's gradient is that of its own mean
            (model(x) - y).square().mean(dim=(1, 2)).sum().backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        x, y = problems.draw(TEST_ROWS, torch.Generator().manual_seed(2))
        losses: list[float] = (model(x) - y).square().mean(dim=(1, 2)).tolist()
    return losses


def _batches(problems: Problems, setting: Setting) -> Iterator[tuple[Tensor, Tensor]]:
    """Give a batch for every step: fresh rows, or those of data that every pass puts into another order."""
    generator = torch.Generator().manual_seed(1)
    if setting.rows is None:
        for _ in range(setting.steps):
            yield problems.draw(setting.batch, generator)
        return
    x, y = problems.draw(setting.rows, generator)
    left = setting.steps
    while left:
        for index in torch.randperm(setting.rows, generator=generator).split(setting.batch)[:left]:
            left -= 1
            yield x.index_select(1, index), y.index_select(1, index)


def timed(setting: Setting) -> dict[str, object]:
    """Return the losses of a setting, and the seconds that they took."""
    started = time.perf_counter()
    return {"losses": final_losses(setting), "seconds": time.perf_counter() - started}
