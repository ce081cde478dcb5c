"""From an artefact on disk to a model that can be served."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import ArtefactError
from gatewise.export import port_names
from gatewise.http.batching import Batcher
from gatewise.http.columns import FeatureColumns
from gatewise.http.engine import OnnxEngine
from gatewise.http.exported import digest, exported, silent
from gatewise.http.items import ItemFile, ItemTable
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics
from gatewise.http.model import ServedModel
from gatewise.http.sample_rows import SampleRows
from gatewise.http.sources import Source
from gatewise.names import GATES
from gatewise.promoted import checksum
from gatewise.serving import load_artefact


@dataclass(frozen=True)
class Loader:
    """Loads models from artefacts.

    Attributes:
        limits: of requests and batches.
        pool: the threads that compute.
        metrics: record the sizes of batches.
        items: the file of the item table, if any.
        rows: a file of real rows to try the models with, if any.
        tell: receives a line before and after what takes long.
    """

    limits: Limits
    pool: Executor
    metrics: Metrics
    items: ItemFile | None = None
    rows: Path | None = None
    tell: Callable[[str], None] = silent

    def __call__(self, source: Source) -> ServedModel:
        """Return the served model of an artefact, with the item table encoded by the artefact's encoder.

        Raises:
            ArtefactError: the artefact is absent, incomplete or damaged.
            TableError: the item table does not hold what the features declare.
        """
        before = digest(source.path)
        if source.manifest is not None and checksum(source.path) != source.manifest:
            raise ArtefactError(f"artefact {str(source.path)!r} is not what was promoted as {source.version}")
        scorer = load_artefact(source.path).scorer
        columns = FeatureColumns(
            scorer.encoder,
            scorer.model.side_features,
            self.limits,
            port_names(scorer),
            scorer.known_of(scorer.fusion),
        )
        engine = OnnxEngine(exported(source.path, self.tell))
        if digest(source.path) != before or (source.manifest is not None and checksum(source.path) != source.manifest):
            raise ArtefactError(f"artefact {str(source.path)!r}: was replaced while it was read; load it again")
        predictions = tuple(column for task in scorer.tasks for column in task.columns)
        return ServedModel(
            source.name,
            source.version,
            source.path,
            columns,
            Batcher(engine, self.limits, self.pool, self.metrics),
            predictions=predictions,
            tasks=tuple(task.name for task in scorer.tasks),
            fusion=scorer.fusion,
            gated=GATES in engine.outputs,
            calibrated=bool(scorer.calibration),
            items=None if self.items is None else ItemTable.read(self.items, columns),
            samples=None if self.rows is None else SampleRows.read(self.rows, columns, scorer.encoder.schema.group),
            context=scorer.encoder.schema.context,
        )
