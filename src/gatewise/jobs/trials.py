"""A trial of a comparison: a contestant trained with a seed, kept on disk so that it is trained only once."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gatewise.errors import GatewiseWarning
from gatewise.files import write_atomically
from gatewise.jobs.contestants import Contestant, Cost
from gatewise.jobs.tables import Tables
from gatewise.jobs.train import write_json

PREDICTIONS, RESULT = "predictions.parquet", "result.json"


Result = tuple[float, list[str]]
"""The seconds of a training, and its warnings."""


@dataclass(frozen=True)
class Trial:
    """A contestant with a seed.

    Attributes:
        contestant: the contestant to train.
        seed: of weights, order of rows and dropout.
        folder: where predictions and cost are kept.
        fingerprint: of models, options and data; results with another fingerprint do not count.
    """

    contestant: Contestant
    seed: int
    folder: Path
    fingerprint: str

    @property
    def done(self) -> bool:
        """Whether the trial was trained before, and its kept results are complete."""
        try:
            kept = self._kept()
            predictions = (self.folder / PREDICTIONS).read_bytes()
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return kept["fingerprint"] == self.fingerprint and kept["predictions"] == _digest(predictions)

    def _kept(self) -> dict[str, Any]:
        """Return the results kept beside the predictions.

        Raises:
            ValueError: the results are damaged.
        """
        kept: dict[str, Any] = json.loads((self.folder / RESULT).read_text(encoding="utf-8"))
        if kept.pop("digest") != _digest(json.dumps(kept).encode()):
            raise ValueError("damaged")
        return kept

    def cost(self) -> Cost:
        """Return the cost of the trial."""
        return Cost.of(self._kept()["cost"])

    def affinity(self) -> list[list[float | None]] | None:
        """Return the affinity of tasks ``[task][task]``, if any."""
        return self._kept()["affinity"]

    def predictions(self) -> pa.Table:
        """Return the predictions for the test rows."""
        return pq.read_table(self.folder / PREDICTIONS)

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"{self.contestant.name}, seed {self.seed}"

    def run(self, tables: Tables) -> Result:
        """Train, predict the test rows, and keep predictions and cost.

        Returns:
            The seconds of the training, and its warnings.
        """
        started = time.perf_counter()
        # nobody would see the warnings of another process
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", GatewiseWarning)
            learnt = self.contestant.learn(self.seed, tables)
        found = pa.table(dict(learnt.columns))
        # without a result file no predictions count, so the two never come from different trainings
        (self.folder / RESULT).unlink(missing_ok=True)
        write_atomically(self.folder / PREDICTIONS, lambda temporary: pq.write_table(found, temporary))
        result = {
            "fingerprint": self.fingerprint,
            "predictions": _digest((self.folder / PREDICTIONS).read_bytes()),
            "cost": asdict(learnt.cost),
            "affinity": learnt.affinity,
        }
        write_json(self.folder / RESULT, result | {"digest": _digest(json.dumps(result).encode())})
        return time.perf_counter() - started, [str(warning.message) for warning in caught]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
