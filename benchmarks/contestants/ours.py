"""Gatewise, through the ordinary Ranker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gatewise as gw
from contestants.contract import Contestant, Features
from gatewise.machine import keep_freed_memory
from workload import NUMBERS, TASKS, VOCABULARIES, Rows, Workload

SUFFIXES = (".py", ".c")


class Ours(Contestant):
    """Trains with ``Ranker.fit``: raw columns in, vocabularies learnt from them.

    Args:
        norm: ``batch`` for the batch normalisation that torch-rechub has in every layer.
        **training: options of :class:`gatewise.Training` beside those that all contestants have in common.
    """

    def __init__(self, *, norm: str = "none", **training: Any) -> None:
        self.norm = norm
        self.training = training

    @property
    def version(self) -> str:
        """Return a digest of the sources, for results must not outlive them."""
        root = Path(gw.__file__).parent
        digest = hashlib.blake2b(digest_size=6)
        for path in sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def prepare(self, workload: Workload, train: Rows, seed: int) -> None:
        # the process does nothing but train, as that of ``gatewise train``
        keep_freed_memory()
        self.workload, self.columns, self.seed = workload, train.columns(), seed
        self.ranker = self._new_ranker(epochs=1)

    def warm_up(self) -> None:
        self.ranker.fit(self.columns, progress=False)

    def train_epoch(self) -> float:
        """Fit anew and return the training seconds of the second epoch; the first one warms up."""
        self.ranker = self._new_ranker(epochs=2).fit(self.columns, progress=False)
        return len(self.columns[TASKS[0]]) / self.ranker.history[-1].rows_per_second

    def learn(self, valid: Rows, epochs: int) -> Iterator[list[float]]:
        """Leave the best epoch to ``fit``, which takes the same mean."""
        self.ranker = self._new_ranker(epochs, patience=1).fit(self.columns, valid.columns(), progress=False)
        for record in self.ranker.history:
            yield [float(record.valid[task]["auc"] or 0.0) for task in TASKS]

    def predict(self, features: Features, batch_size: int) -> np.ndarray:  # noqa: ARG002
        """Score raw columns; the ranker has a batch size of its own."""
        table = self.ranker.predict(features)
        return np.column_stack([table[task].to_numpy() for task in TASKS])

    def forward(self, features: Features) -> Callable[[], object]:
        scorer = self.ranker.scorer
        table = scorer.tensors(scorer.encoder.encode(features, labels=False))
        inputs = table.inputs(torch.arange(len(table)))
        model = scorer.model.eval()

        @torch.no_grad()
        def call() -> torch.Tensor:
            return model(inputs).scores.sigmoid()

        return call

    def _new_ranker(self, epochs: int, patience: int | None = None) -> gw.Ranker:
        workload = self.workload
        ids = [gw.Categorical(f"c{i}", dim=workload.dim) for i in range(len(VOCABULARIES))]
        numbers = [gw.Numeric(f"d{i}") for i in range(NUMBERS)]
        return gw.Ranker(
            gw.Schema(features=[*ids, *numbers], tasks=[gw.Binary(task) for task in TASKS]),
            gw.MMoE(
                experts=workload.experts,
                expert_dims=workload.expert_dims,
                tower_dims=workload.tower_dims,
                gate_dims=(),
                norm=self.norm,
            ),
            optimizer="adam",
            lr=workload.lr,
            batch_size=workload.batch_size,
            epochs=epochs,
            patience=patience,
            device="cpu",
            seed=self.seed,
            **self.training,
        )
