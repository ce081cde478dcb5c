"""A trained model is put in place: loaded, checked, compared with what it replaces, and named by the pointer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gatewise.analysis import main_metrics, metric_values
from gatewise.data import readable
from gatewise.errors import ArtefactError, DeclarationError, GatewiseError, TableError, did_you_mean, shown
from gatewise.jobs.made_up import difference, made_up_predictions, not_finite
from gatewise.jobs.run_record import RECORD, RunRecord
from gatewise.loading import load
from gatewise.promoted import POINTER, Pointer, Promoted, checksum, entry_for, version_of
from gatewise.ranker import Ranker
from gatewise.serving import ARTEFACT, find_artefact
from gatewise.tasks import Predicted

WORST = 0.002


@dataclass(frozen=True)
class Judgement:
    """One output's main metric on the canary table, of the new model and of the one in place.

    Attributes:
        output: the output's name.
        metric: the metric's name.
        before: its value of the model in place; None: undefined.
        after: its value of the new model; None: undefined, or the new model has no such output.
        loss: by how much the new model is worse, below 0: better; None: not known.
        worst: the greatest loss that is allowed.
        worse: whether the new model may not take the place.
    """

    output: str
    metric: str
    before: float | None
    after: float | None
    loss: float | None
    worst: float
    worse: bool


@dataclass(frozen=True)
class Promotion:
    """What became of a promotion.

    Attributes:
        outcome: ``promoted``; ``in place`` where the artefact was in place already; ``worse`` or ``broken`` where
            nothing was changed.
        version: the version of the artefact; None: it has none, as it cannot be read.
        before: the version that was in place; None: there was none.
        against: what it was compared with, a version or a folder; None: with nothing.
        problem: why it is broken.
        judged: the main metrics of both models on the canary table.
        notes: what was not checked, and why.
    """

    outcome: Literal["promoted", "in place", "worse", "broken"]
    version: str | None = None
    before: str | None = None
    against: str | None = None
    problem: str | None = None
    judged: list[Judgement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return asdict(self)


class _BrokenError(GatewiseError):
    """The artefact may not take the place, however good it is."""


def promote(
    run: Path,
    folder: Path | None = None,
    *,
    against: Path | None = None,
    table: Any = None,
    worst: float = WORST,
    worst_of: Mapping[str, float] | None = None,
) -> Promotion:
    """Put a run's artefact in place of the one that a folder's pointer names, if it is whole and not worse.

    Args:
        run: folder of the run or of the artefact.
        folder: the folder of the pointer, which services watch; by default the one that holds the run.
        against: the run to compare with; by default what is in place.
        table: the canary table, with features and labels; needed where there is something to compare with.
        worst: by how much the main metric of an output may be worse.
        worst_of: the same for single outputs, by name.

    Raises:
        DeclarationError: no table to compare with, or an output that does not exist; nothing was changed.
        TableError: the table lacks a column, or a metric is undefined on it.
        ArtefactError: what is to be compared with cannot be loaded, or the pointer cannot be read or written.
        InUseError: somebody else has promoted meanwhile.
    """
    run = run.parent if run.name == ARTEFACT and (run.parent / RECORD).exists() else run
    folder = run.absolute().parent if folder is None else folder
    if folder.resolve() == run.resolve():
        raise DeclarationError(
            f"--to {str(folder)!r} is the run itself: expected a folder for the pointer, such as runs"
        )
    pointer = Pointer.read(folder)
    before = None if pointer.current is None else pointer.current.version
    other = _other(pointer, folder, against)
    if other is not None and table is None:
        raise DeclarationError(f"--table is needed: the main metrics on it are compared with those of {other[0]}")
    notes: list[str] = []
    version = None
    try:
        manifest = _checksum(run)
        version = version_of(run, manifest)
        ranker = _whole(run, manifest, notes)
        found = None if table is None else _predicted(ranker, table)
    except _BrokenError as error:
        return Promotion("broken", version, before, None if other is None else other[0], str(error), notes=notes)
    judged = [] if other is None or found is None else _judged(ranker, found, other, table, worst, worst_of or {})
    if other is None:
        notes.append("nothing was in place: main metrics were not compared")
    what = Promotion("promoted", version, before, None if other is None else other[0], None, judged, notes)
    if any(each.worse for each in judged):
        return Promotion(**{**vars(what), "outcome": "worse"})
    entry = entry_for(run, folder, what.against, {each.output: each.after for each in judged})
    if entry.manifest != manifest:
        return Promotion(**{**vars(what), "outcome": "broken", "problem": "the artefact was replaced meanwhile"})
    current = pointer.current
    if current is not None and (current.run, current.manifest) == (entry.run, entry.manifest):
        return Promotion(**{**vars(what), "outcome": "in place"})
    folder.mkdir(parents=True, exist_ok=True)
    pointer.forward(entry).write(folder, pointer)
    return what


def roll_back(folder: Path) -> tuple[Promoted, Promoted]:
    """Put back in place what was in place before, if it is still whole.

    Returns:
        What is in place now, and what was taken back.

    Raises:
        ArtefactError: nothing was in place before, or its artefact is absent, damaged or another one now; nothing was
            changed.
    """
    pointer = Pointer.read(folder)
    if pointer.current is None:
        raise ArtefactError(f"nothing was promoted in {str(folder)!r}: there is no {POINTER}")
    earlier = pointer.back()
    assert earlier.current is not None
    artefact = earlier.current.artefact(folder)
    if checksum(artefact) != earlier.current.manifest:
        raise ArtefactError(f"artefact {str(artefact)!r} is not what was promoted as {earlier.current.version}")
    load(artefact)
    earlier.write(folder, pointer)
    return earlier.current, pointer.current


def _other(pointer: Pointer, folder: Path, against: Path | None) -> tuple[str, Path] | None:
    """Return name and artefact of what to compare with; None: nothing."""
    if against is not None:
        return str(against), find_artefact(against)
    return None if pointer.current is None else (pointer.current.version, pointer.current.artefact(folder))


def _checksum(run: Path) -> str:
    try:
        return checksum(find_artefact(run))
    except ArtefactError as error:
        raise _BrokenError(str(error)) from None


def _whole(run: Path, manifest: str, notes: list[str]) -> Ranker:
    """Return the loaded ranker of a run at its end, whose predictions are finite and those that the run made."""
    try:
        record = RunRecord.read(run)
        if record is not None and record.state != "finished":
            raise _BrokenError(f"run {str(run)!r} is not at its end: go on with it by --resume")
        ranker = load(find_artefact(run))
    except ArtefactError as error:
        raise _BrokenError(str(error)) from None
    found = made_up_predictions(ranker.scorer)
    if (problem := not_finite(found)) is not None:
        raise _BrokenError(problem)
    if record is None or record.check is None:
        notes.append("the run holds no predictions to compare with: parity was not checked")
    elif record.artefact != manifest:
        notes.append("the artefact was saved again after the run: parity with its predictions was not checked")
    elif (problem := difference(record.check, found)) is not None:
        raise _BrokenError(problem)
    return ranker


def _predicted(ranker: Ranker, table: Any) -> Predicted:
    """Return the predictions and labels of the canary table, as a service would answer them."""
    scorer = ranker.scorer
    found = scorer.predicted(readable(table), calibrated=bool(scorer.calibration))
    for name, values in found.columns.items():
        if count := int((~values.isfinite()).sum()):
            raise _BrokenError(f"{name}: {count:,} of {len(values):,} predictions on the table are not finite")
    return found


def _judged(
    ranker: Ranker,
    found: Predicted,
    other: tuple[str, Path],
    table: Any,
    worst: float,
    worst_of: Mapping[str, float],
) -> list[Judgement]:
    name, artefact = other
    old = load(artefact)
    metrics = main_metrics(old.scorer.tasks)
    if unknown := [each for each in worst_of if each not in metrics]:
        hint = did_you_mean(unknown[0], metrics) or f" (outputs: {shown(metrics)})"
        raise DeclarationError(f"--worst: {name} has no output {unknown[0]!r}{hint}")
    before = metric_values(_old(old, table), metrics)
    there = {output: metric for output, metric in metrics.items() if output in main_metrics(ranker.scorer.tasks)}
    after = metric_values(found, there)
    for output in metrics:
        if before[output] is None and after.get(output) is None and output in there:
            raise TableError(f"--table: {metrics[output].name} of {output!r} is undefined on it: nothing to compare by")
    return [
        _judgement(output, metric, before[output], after.get(output), worst_of.get(output, worst))
        for output, metric in metrics.items()
    ]


def _old(old: Ranker, table: Any) -> Predicted:
    return old.scorer.predicted(readable(table), calibrated=bool(old.scorer.calibration))


def _judgement(output: str, metric: Any, before: float | None, after: float | None, worst: float) -> Judgement:
    if before is None or after is None:
        # a metric that is defined now and was not before is no loss; one that is gone is
        return Judgement(output, metric.name, before, after, None, worst, worse=after is None)
    loss = before - after if metric.greater_is_better else after - before
    return Judgement(output, metric.name, before, after, loss, worst, worse=loss > worst)
