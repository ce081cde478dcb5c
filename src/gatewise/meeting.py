"""Processes that work in one folder, in parts, and wait for each other there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from gatewise.data import Turns
from gatewise.files import temporary_folder
from gatewise.processes import Processes, total

LOOK_AGAIN = 0.05
"""Seconds between two looks."""


@contextmanager
def meeting(processes: Processes, folder: Path) -> Iterator[Turns | None]:
    """Give the turns of this process for the length of a block; None: not all processes see the folder.

    All processes come here. They wait for each other by files, because a sum over processes gives up after a while, and
    one of them may read a table for hours.
    """
    if processes.size == 1:
        yield Turns()
    elif processes.rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder / "together") as place:
            yield _turns(processes, folder, place.name)
            # nobody looks into the place any more
            total(processes, 0)
    else:
        yield _turns(processes, folder, "")
        total(processes, 0)


def _turns(processes: Processes, folder: Path, name: str) -> Turns | None:
    told = torch.tensor(list(name.encode()), dtype=torch.uint8)
    (name_of_first, *_) = processes.exchange([told] * processes.size)
    place = folder / bytes(name_of_first.tolist()).decode()
    if total(processes, int(not place.is_dir())):
        return None
    return Turns(processes.rank, processes.size, _Waiting(processes, place))


class _Waiting:
    """Waits until all processes have come as often as this one."""

    def __init__(self, processes: Processes, place: Path) -> None:
        self.processes, self.place, self.times = processes, place, 0

    def __call__(self) -> None:
        (self.place / f"{self.times}-{self.processes.rank}").touch()
        others = {self.place / f"{self.times}-{rank}" for rank in range(self.processes.size)}
        self.times += 1
        while not all(other.exists() for other in others):
            time.sleep(LOOK_AGAIN)
