"""The weights of another library's model by name, of which every one has to find its place."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from gatewise.errors import DeclarationError, shown

UNUSED = re.compile(r"(^|\.)num_batches_tracked$|^loss weight\.")
"""Names of weights that predictions do not depend on: counters, and weights of the training's losses."""


class Source:
    """A state dictionary that remembers which of its weights were read.

    Args:
        weights: a state dictionary; the prefix ``module.`` of parallel training is dropped.
        of: the model, for messages.

    Example:
        >>> source = Source({"a.0.weight": torch.ones(2), "b": torch.ones(1)}, "MMOE")
        >>> source.take("a.0.weight").tolist(), source.count("a"), source.rest()
        ([1.0, 1.0], 1, ['b'])
    """

    def __init__(self, weights: Mapping[str, Tensor], of: str) -> None:
        parallel = bool(weights) and all(name.startswith("module.") for name in weights)
        self.weights = {name.removeprefix("module.") if parallel else name: value for name, value in weights.items()}
        self.of = of
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.weights

    def take(self, name: str) -> Tensor:
        """Return a weight as float32 on the CPU.

        Raises:
            DeclarationError: there is no such weight.
        """
        if name not in self.weights:
            raise DeclarationError(f"{self.of}: expected a weight {name!r}, found {shown(self.weights, 3)}")
        self._read.add(name)
        return self.weights[name].detach().to("cpu", torch.float32)

    def maybe(self, name: str) -> Tensor | None:
        """Return a weight, or None if there is no such weight."""
        return self.take(name) if name in self.weights else None

    def count(self, prefix: str) -> int:
        """Return the number of members of a list of modules, such as ``experts``."""
        start = f"{prefix}." if prefix else ""
        found = {name[len(start) :].split(".")[0] for name in self.weights if name.startswith(start)}
        return sum(index.isdecimal() for index in found)

    def members(self, prefix: str) -> range:
        """Return the indices of a list of modules, which has one or more.

        Raises:
            DeclarationError: there is no such list.
        """
        if not self.count(prefix):
            raise DeclarationError(f"{self.of}: expected weights of {prefix!r}, found {shown(self.weights, 3)}")
        return range(self.count(prefix))

    def pass_over(self, prefix: str) -> None:
        """Mark the weights of a module that predictions do not depend on as read."""
        self._read |= {name for name in self.weights if name.startswith(f"{prefix}.")}

    def rest(self) -> list[str]:
        """Return the names of the weights that were not read and that predictions may depend on."""
        return [name for name in self.weights if name not in self._read and not UNUSED.search(name)]
