"""One point of the map: a model, its problem and how it is trained, for many seeds at once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import torch
from models import Stacked
from problems import Problems
from torch import Tensor

from gatewise import declare
from gatewise.training import Schedule, cosine

TEST_ROWS = 10_000
TRAIN, TEST = 1, 2  # streams of random rows
WARMUP = declare.Cosine().warmup
AT_ONCE = 25  # more models no longer fit into a core's cache


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
        remedies: some of those that ``models`` knows, and ``cosine``: the library's schedule with its warm-up.
        first: the lowest seed.
    """

    kind: str
    cosine: float
    lr: float
    batch: int
    rows: int | None
    steps: int
    seeds: int
    remedies: tuple[str, ...] = ()
    first: int = 0

    @property
    def parts(self) -> list[Setting]:
        """The setting as trainings of few seeds, each kept when it is done."""
        starts = range(self.first, self.first + self.seeds, AT_ONCE)
        return [replace(self, first=start, seeds=min(AT_ONCE, starts.stop - start)) for start in starts]

    @property
    def key(self) -> str:
        """A name for what keeps its results."""
        # what was kept before seeds came in parts has no first one in its name
        named = {name: value for name, value in asdict(self).items() if name != "first" or value}
        text = json.dumps(named, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def final_losses(setting: Setting) -> list[float]:
    """Train all seeds of a setting and return each one's loss on fresh rows, the mean of both tasks."""
    seeds = range(setting.first, setting.first + setting.seeds)
    problems = Problems(setting.cosine, seeds)
    with torch.random.fork_rng():
        torch.manual_seed(setting.first)
        model = Stacked(setting.kind, seeds, setting.remedies)
        optimizer = torch.optim.Adam(model.parameters(), setting.lr, fused=True)
        schedule = Schedule()
        if "cosine" in setting.remedies:
            schedule = cosine(optimizer, total=setting.steps, warmup=WARMUP, floor=0.0, unit="step")
        for x, y in _batches(problems, setting):
            optimizer.zero_grad(set_to_none=True)
            # summed over seeds: each one's gradient is that of its own mean
            (model(x) - y).square().mean(dim=(1, 2)).sum().backward()
            optimizer.step()
            schedule.after_step()
    model.eval()
    with torch.no_grad():
        x, y = problems.draw(TEST_ROWS, _generator(setting, TEST))
        losses: list[float] = (model(x) - y).square().mean(dim=(1, 2)).tolist()
    return losses


def _batches(problems: Problems, setting: Setting) -> Iterator[tuple[Tensor, Tensor]]:
    """Give a batch for every step: fresh rows, or those of data that every pass puts into another order."""
    generator = _generator(setting, TRAIN)
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


def _generator(setting: Setting, stream: int) -> torch.Generator:
    """Return the random numbers of a stream, apart for every part of a setting."""
    return torch.Generator().manual_seed(3 * setting.first + stream)


def timed(setting: Setting) -> dict[str, object]:
    """Return the losses of a setting, and the seconds of one core that they took."""
    started = time.process_time()
    return {"losses": final_losses(setting), "seconds": time.process_time() - started}
