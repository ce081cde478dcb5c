"""The record of a run: ``run.json`` in its folder, written when the training begins and when it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from typing_extensions import override

from gatewise.analysis import main_metrics
from gatewise.errors import ArtefactError
from gatewise.files import write_text
from gatewise.jobs.made_up import made_up_predictions
from gatewise.promoted import checksum
from gatewise.provenance import Provenance, now
from gatewise.ranker import Ranker
from gatewise.serving import ARTEFACT
from gatewise.training import Reporter

RECORD = "run.json"
JUDGED = ("test", "valid")
"""Parts whose metrics a record holds: the first one that the run has."""


@dataclass(frozen=True)
class MainMetric:
    """The value of an output's main metric.

    Attributes:
        metric: the metric's name.
        value: None: undefined.
        greater_is_better: None: neither direction is better.
    """

    metric: str
    value: float | None
    greater_is_better: bool | None


@dataclass(frozen=True)
class RunRecord:
    """What a run says of itself.

    Attributes:
        state: ``begun`` until the end, also after a kill.
        begun: when the training began, in UTC.
        ended: when everything was written, in UTC.
        recipe: name of the recipe's file; None: trained from Python.
        judged_on: the rows of the metrics: ``test`` or ``valid``; None: there are no metrics.
        main: the main metric by output.
        provenance: where the model comes from.
        artefact: SHA-256 of the artefact's manifest.
        check: predictions for made-up rows, by output, with which those of the loaded artefact are compared.
    """

    state: Literal["begun", "finished", "interrupted"]
    begun: str | None = None
    ended: str | None = None
    recipe: str | None = None
    judged_on: str | None = None
    main: Mapping[str, MainMetric] = field(default_factory=dict)
    provenance: Provenance | None = None
    artefact: str | None = None
    check: Mapping[str, tuple[float | None, ...]] | None = None

    def write(self, run_dir: Path) -> None:
        """Write the record into the folder of its run."""
        write_text(run_dir / RECORD, json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    @classmethod
    def read(cls, run_dir: Path) -> RunRecord | None:
        """Return the record of a run; None: the folder has none.

        Raises:
            ArtefactError: the file is not what was written; names it.
        """
        path = run_dir / RECORD
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise ArtefactError(f"{str(path)!r} is damaged: {place}: {first['msg']}") from None


class Recording(Reporter):
    """Writes the record of a run: when the training begins, and when its artefact is written.

    Args:
        run_dir: the folder of the run.
        recipe: name of the recipe's file.
    """

    def __init__(self, run_dir: Path, recipe: str | None = None) -> None:
        self.run_dir = run_dir
        self.record = RunRecord("begun", recipe=recipe)
        self._whole = False

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        self.record = replace(self.record, begun=now())
        self.record.write(self.run_dir)

    @override
    def on_training_end(self, reason: str) -> None:
        self._whole = reason != "interrupted"

    def finish(self, ranker: Ranker) -> None:
        """Write the record of a run whose artefact is saved."""
        self.record = replace(
            self.record,
            state="finished" if self._whole else "interrupted",
            ended=now(),
            **_at_its_end(ranker, self.run_dir),
        )
        self.record.write(self.run_dir)


def record_run(ranker: Ranker, run_dir: Path, begun: str | None = None, recipe: str | None = None) -> None:
    """Write the record of a finished run, such as an update, whose artefact is saved already.

    Args:
        ranker: the trained ranker, with its metrics.
        run_dir: the folder of the run.
        begun: when the training began, in UTC.
        recipe: name of the recipe's file; by default the name in the ranker's provenance.
    """
    known = None if ranker.provenance is None else ranker.provenance.recipe
    name = recipe or (None if known is None else known.name)
    RunRecord("finished", begun, now(), name, **_at_its_end(ranker, run_dir)).write(run_dir)


def _at_its_end(ranker: Ranker, run_dir: Path) -> dict[str, Any]:
    """Return what a record holds of a trained ranker and its saved artefact."""
    check = {name: tuple(values) for name, values in made_up_predictions(ranker.scorer).items()}
    saved = checksum(run_dir / ARTEFACT)
    return {**judged(ranker), "provenance": ranker.provenance, "artefact": saved, "check": check}


def judged(ranker: Ranker) -> dict[str, Any]:
    """Return ``judged_on`` and ``main`` of a ranker's saved metrics."""
    part = next((name for name in JUDGED if name in ranker.metrics), None)
    if part is None:
        return {"judged_on": None, "main": {}}
    values = ranker.metrics[part]
    main = {
        output: MainMetric(metric.name, values[output].get(metric.name), metric.greater_is_better)
        for output, metric in main_metrics(ranker.scorer.tasks).items()
        if output in values
    }
    return {"judged_on": part, "main": main}
