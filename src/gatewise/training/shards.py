"""Checkpoints of tables that processes share: every process writes its rows, and reads those that are its own now."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gatewise.nn import MultiTaskModel
from gatewise.processes import Processes, total
from gatewise.training.checkpoint import load_checkpoint, save_checkpoint
from gatewise.training.kept import of_shards

PATTERN = "shard-*-of-*.pt"
COPIES = ("model", "best")
"""Parts of a checkpoint that hold the model's weights."""


class Shards:
    """The files beside a checkpoint that hold tables and their optimiser state, a file per process.

    A checkpoint names the set of files that it was written with; the next set has other names, so that whatever ends a
    process, checkpoint and files fit each other.

    Args:
        model: the model, whose tables may be sharded.
        optimizer: its optimiser.
        processes: the processes that share the tables.
    """

    def __init__(self, model: MultiTaskModel, optimizer: torch.optim.Optimizer, processes: Processes) -> None:
        self.processes = processes
        own = {id(weight) for weight in model.input_layer.tables.trained_shards()}
        self.names = [name for name, weight in model.named_parameters() if id(weight) in own]
        parameters = [each for group in optimizer.param_groups for each in group["params"]]
        self.places = [place for place, each in enumerate(parameters) if id(each) in own]
        self._set = 0

    def __bool__(self) -> bool:
        return bool(self.names)

    def save(self, folder: Path, state: dict[str, Any]) -> dict[str, Any]:
        """Write this process's part of a checkpoint, and return the rest once all processes have written theirs."""
        rest, parts = separated(state, self.names, self.places)
        self._set = 1 - self._set
        save_checkpoint(folder / _name(self.processes.rank, self.processes.size, self._set), parts)
        total(self.processes, 0)
        return rest | {"shards": {"count": self.processes.size, "set": self._set}}

    def tidy(self, folder: Path) -> None:
        """Delete the files of earlier checkpoints."""
        size = self.processes.size
        kept = {_name(rank, size, self._set) for rank in range(size)} if self else set[str]()
        for path in folder.glob(PATTERN):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def load(self, folder: Path, state: dict[str, Any]) -> dict[str, Any]:
        """Return a checkpoint with this process's part, written by however many processes."""
        written = state.pop("shards", None)
        if written is None and not self:
            return state
        if written is None:
            return self._shared(state)
        count, self._set = int(written["count"]), int(written["set"])
        files = [folder / _name(rank, count, self._set) for rank in range(count)]
        own = load_checkpoint(files[self.processes.rank % count])
        alike = self.names == [path.removeprefix("model/") for path in own if path.startswith("model/")]
        if alike and count == self.processes.size:
            return joined(state, own)
        shards = [load_checkpoint(path) for path in files]
        if alike:
            return joined(state, _dealt(shards, self.processes.rank, self.processes.size))
        # other tables were shared: those that are not now must be whole
        state = joined(state, _dealt(shards, 0, 1))
        return self._shared(state) if self else state

    def _shared(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return a checkpoint of whole tables with this process's part of them."""
        rest, whole = separated(state, self.names, self.places)
        return joined(rest, _dealt([whole], self.processes.rank, self.processes.size))


def _dealt(shards: list[dict[str, Tensor]], rank: int, size: int) -> dict[str, Tensor]:
    """Return a rank's rows of tensors, of which ``shards`` have rows r mod their number."""
    found = {}
    for name, first in shards[0].items():
        rows = sum(len(shard[name]) for shard in shards)
        whole = first.new_empty(rows, *first.shape[1:])
        for number, shard in enumerate(shards):
            whole[number :: len(shards)] = shard[name]
        found[name] = whole[rank::size].clone()
    return found


def separated(
    state: dict[str, Any], names: Collection[str], places: Collection[int]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return a checkpoint without some parameters and their optimiser state, and these tensors by path."""
    rest, parts = dict(state), dict[str, Tensor]()
    for part in COPIES:
        if (weights := state[part]) is not None:
            parts |= {f"{part}/{name}": weights[name] for name in names}
            rest[part] = {name: weight for name, weight in weights.items() if name not in names}
    rest["averages"] = {}
    for part, values in state.get("averages", {}).items():
        parts |= {f"averages/{part}/{name}": value for name, value in values.items() if name in names}
        rest["averages"][part] = {name: value for name, value in values.items() if name not in names}
    kept = state["kept"]
    parts |= {f"kept/{name}": value for name, value in kept.items() if of_shards(name, value, names)}
    rest["kept"] = {name: value for name, value in kept.items() if f"kept/{name}" not in parts}
    remembered = dict(state["optimizer"]["state"])
    for place in places:
        if place in remembered:
            parts |= {f"optimizer/{place}/{name}": value for name, value in remembered[place]["rule"].items()}
            remembered[place] = remembered[place] | {"rule": {}}
    rest["optimizer"] = state["optimizer"] | {"state": remembered}
    return rest, parts


def joined(rest: dict[str, Any], parts: dict[str, Tensor]) -> dict[str, Any]:
    """Return the checkpoint that :func:`separated` separated."""
    for path, value in parts.items():
        part, _, name = path.partition("/")
        if part in (*COPIES, "kept"):
            rest[part][name] = value
        elif part == "averages":
            of, _, name = name.partition("/")
            rest[part][of][name] = value
        else:
            place, _, name = name.partition("/")
            rest[part]["state"][int(place)]["rule"][name] = value
    return rest


def _name(rank: int, count: int, number: int) -> str:
    return f"shard-{rank:03}-of-{count:03}.{number}.pt"
