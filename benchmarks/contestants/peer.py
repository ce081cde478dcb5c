"""What both peers have in common: one PyTorch module that is trained epoch by epoch."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from importlib.metadata import version

import numpy as np
import torch

from contestants.contract import Contestant, Features, auc
from workload import VOCABULARIES, Rows, Workload

WARM_UP_BATCHES = 3


class Peer(Contestant):
    """Builds the peer's own model and leaves training and prediction to the peer's own code.

    Args:
        relabel: count ids among those that occur in the training rows, so that no table has more rows than there are
            values; by default they have the workload's vocabulary sizes. For timing of training only.
    """

    package: str
    model: torch.nn.Module

    def __init__(self, *, relabel: bool = False) -> None:
        self.relabel = relabel

    @property
    def version(self) -> str:
        return version(self.package)

    def prepare(self, workload: Workload, train: Rows, seed: int) -> None:
        self.workload, self.train, self.seed = workload, train, seed
        vocabularies = VOCABULARIES
        if self.relabel:
            self.train, vocabularies = train.relabelled()
        torch.manual_seed(seed)
        self.build(vocabularies)

    def warm_up(self) -> None:
        self.run_epoch(self.train[: WARM_UP_BATCHES * self.workload.batch_size])

    def train_epoch(self) -> float:
        started = time.perf_counter()
        self.run_epoch(self.train)
        return time.perf_counter() - started

    def learn(self, valid: Rows, epochs: int) -> Iterator[list[float]]:
        best, weights = 0.0, self.model.state_dict()
        for _ in range(epochs):
            self.run_epoch(self.train)
            found = auc(valid.labels, self.predict(valid.features(), self.workload.batch_size))
            yield found
            if sum(found) <= best:
                break
            best = sum(found)
            weights = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.model.load_state_dict(weights)

    def forward(self, features: Features) -> Callable[[], object]:
        inputs, model = self.inputs(features), self.model.eval()

        @torch.no_grad()
        def call() -> torch.Tensor:
            return model(inputs)

        return call

    @abstractmethod
    def build(self, vocabularies: tuple[int, ...]) -> None:
        """Set ``model`` and what trains it."""

    @abstractmethod
    def run_epoch(self, rows: Rows) -> None:
        """Train on the rows once."""

    @abstractmethod
    def inputs(self, features: Features) -> object:
        """Return the features as the model's ``forward`` reads them."""


def checked(predictions: object) -> np.ndarray:
    """Return a peer's predictions as ``[row, 2]``."""
    matrix = np.asarray(predictions)
    if matrix.ndim != 2 or matrix.shape[1] != 2:
        raise ValueError(f"expected predictions [row, 2], found {matrix.shape}")
    return matrix
