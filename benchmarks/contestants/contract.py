"""What the benchmark asks of every library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np

from workload import Rows, Workload

Features = dict[str, np.ndarray]
"""Columns by name: c0 .. c22 int64, d0 .. d7 float32."""


class Contestant(ABC):
    """One library with one way to train MMoE; everything happens in its own process.

    Peers import their library in ``prepare``, so that one that is not installed fails there, with its own message.
    """

    @property
    @abstractmethod
    def version(self) -> str:
        """Tell results of different code apart."""

    @abstractmethod
    def prepare(self, workload: Workload, train: Rows, seed: int) -> None:
        """Take the training rows and build what can be built of them."""

    @abstractmethod
    def warm_up(self) -> None:
        """Pay what the first use costs, untimed; :meth:`predict` and :meth:`forward` work after it."""

    @abstractmethod
    def train_epoch(self) -> float:
        """Train one whole epoch and return its seconds: loading, forward, backward, optimiser."""

    @abstractmethod
    def learn(self, valid: Rows, epochs: int) -> Iterator[list[float]]:
        """Train a new model, yield both tasks' AUC on ``valid`` after every epoch, end with the best epoch's weights.

        The best epoch is the one with the highest mean over both tasks; the first that is no better ends the training.
        """

    @abstractmethod
    def predict(self, features: Features, batch_size: int) -> np.ndarray:
        """Return probabilities ``[row, 2]`` by the library's own way from columns to predictions."""

    @abstractmethod
    def forward(self, features: Features) -> Callable[[], object]:
        """Return a call of the eager model alone, in evaluation mode, on tensors that are ready."""


def auc(labels: np.ndarray, predictions: np.ndarray) -> list[float]:
    """Return every task's AUC, by scikit-learn."""
    from sklearn.metrics import roc_auc_score

    return [float(roc_auc_score(labels[:, k], predictions[:, k])) for k in range(labels.shape[1])]
