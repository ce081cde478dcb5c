"""One version of one served model, which never changes while requests use it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gatewise.data import Values
from gatewise.declare import Fusion
from gatewise.errors import did_you_mean, shown
from gatewise.http.batching import Batcher
from gatewise.http.columns import FeatureColumns, Matrices
from gatewise.http.errors import RequestError
from gatewise.http.items import ItemTable
from gatewise.http.sample_rows import SampleRows
from gatewise.names import FUSED, GATES


class Inputs(NamedTuple):
    """What a request brings.

    Attributes:
        arrays: the model's inputs by name.
        known: the known columns ``[row]`` that the fusion uses.
    """

    arrays: dict[str, np.ndarray]
    known: dict[str, np.ndarray]


@dataclass(frozen=True)
class ServedModel:
    """A loaded artefact.

    Attributes:
        name: the model's name in addresses and requests.
        version: a number or a name.
        path: the artefact's folder.
        columns: the columns that the model reads.
        batcher: computes predictions, calibrated where the artefact has a calibration.
        predictions: the names of the predictions, without ``fused``.
        tasks: the names of the tasks, in the order of the gates.
        fusion: makes one score of all predictions; None: there is no fusion.
        gated: whether the model has gates.
        calibrated: whether the artefact has a calibration.
        items: the item table, if any.
        samples: real rows to try the model with, if any.
        context: the declared columns whose values all candidates of a request share.
        loaded: the time of loading, in seconds since 1970.
    """

    name: str
    version: str
    path: Path
    columns: FeatureColumns
    batcher: Batcher
    predictions: tuple[str, ...]
    tasks: tuple[str, ...]
    fusion: Fusion | None = None
    gated: bool = False
    calibrated: bool = False
    items: ItemTable | None = None
    samples: SampleRows | None = None
    context: Sequence[str] = ()
    loaded: float = field(default_factory=time.time)

    @property
    def scores(self) -> list[str]:
        """The names of the predictions and, last, ``fused`` where there is a fusion."""
        return [*self.predictions, *([] if self.fusion is None else [FUSED])]

    def fused_by(self, weights: Sequence[float] | None) -> Fusion | None:
        """Return the fusion, with other weights where these are given.

        Raises:
            RequestError: weights are given and there is no fusion, or a fusion of more or fewer weights.
        """
        if weights is None:
            return self.fusion
        if self.fusion is None:
            raise RequestError(f"weights: model {self.name!r} has no fusion")
        if len(weights) != len(self.fusion.weights):
            expected = f"{len(self.fusion.weights)}, as {str(self.fusion)!r} has"
            raise RequestError(f"weights: expected {expected}, found {len(weights)}")
        return self.fusion.with_weights(tuple(weights))

    def score(
        self, outputs: Mapping[str, np.ndarray], fusion: Fusion | None, known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return all scores by name, each ``[row]`` float64.

        Args:
            outputs: the outputs of the batcher.
            fusion: makes one score of all predictions and the known columns.
            known: the known columns ``[row]`` that the fusion uses.
        """
        found = {name: np.asarray(outputs[name], dtype=np.float64) for name in self.predictions}
        if fusion is not None:
            # an expression without predictions is a single number
            found[FUSED] = np.broadcast_to(fusion.evaluate({**found, **known}), len(next(iter(found.values()))))
        return found

    def order_of(self, by: str | None = None) -> str:
        """Return the name of the score to order by; by default ``fused`` or, without a fusion, the first prediction.

        Raises:
            RequestError: there is no score of this name.
        """
        if by is None:
            return FUSED if self.fusion is not None else self.predictions[0]
        if by not in self.scores:
            hint = did_you_mean(by, self.scores) or f" (scores: {shown(self.scores)})"
            raise RequestError(f"by: no score {by!r:.80}{hint}")
        return by

    def check_gated(self) -> None:
        """Refuse a request for gates where the model has none.

        Raises:
            RequestError: the model has no gates.
        """
        if not self.gated:
            raise RequestError(f"gates: model {self.name!r} has none")

    def inputs(self, columns: Mapping[str, Values], rows: int, where: str) -> Inputs:
        """Return the model's inputs for rows that bring all their values, and the known columns for the fusion.

        Raises:
            RequestError: a column is unknown or missing; names it.
            TableError: a column holds what its declaration excludes; names the feature.
        """
        self.columns.check_names(columns, where)
        self.columns.check_complete(columns, where)
        return self.inputs_of(self.columns.encode(columns, rows), rows)

    def inputs_of(self, matrices: Matrices, rows: int) -> Inputs:
        """Return the model's inputs, and the known columns for the fusion, from encoded columns."""
        return Inputs(self.columns.side_by_side(matrices, rows), self.columns.fused(matrices, rows))

    def gates(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the gates' weights ``[row, task, expert]``."""
        return outputs[GATES]
