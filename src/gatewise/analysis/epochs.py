"""How long the models of a comparison were trained, and whether that was long enough for a verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gatewise.analysis.problems import still_learning
from gatewise.analysis.verdicts import Verdict, Word
from gatewise.history import EpochRecord, kept_epoch
from gatewise.tasks import Task

BESIDE: Mapping[Word, Word] = {"helps": "better", "hurts": "worse"}
"""Words of a verdict on models of which one shares nothing by nature."""
UNTRAINED: Word = "not trained to the end"
MORE = "more epochs with early stopping, such as --set training.epochs=50 --set training.patience=5"


@dataclass(frozen=True)
class Epochs:
    """How long one model of a contestant was trained, a value per training.

    Attributes:
        tasks: names of the tasks that the model is judged on.
        best: the epoch whose weights were kept, counted from 1.
        trained: the number of epochs.
        unfinished: whether the score still rose in the last declared epoch, see
            :func:`still_learning`.
    """

    tasks: list[str]
    best: list[int]
    trained: list[int]
    unfinished: list[bool]

    @property
    def too_few(self) -> bool:
        """Whether most of the trainings ended before learning did."""
        return 2 * sum(self.unfinished) > len(self.unfinished)


def epochs_of(history: Sequence[EpochRecord], declared: int, tasks: Sequence[str]) -> Epochs | None:
    """Return the epochs of one training; None without validation rows, which decide the best epoch.

    Args:
        history: one record per epoch.
        declared: the declared number of epochs.
        tasks: names of the tasks that the model is judged on.
    """
    kept = kept_epoch(history)
    if kept is None or kept.score is None:
        return None
    unfinished = still_learning([record.score for record in history], declared)
    return Epochs(list(tasks), [kept.epoch], [len(history)], [unfinished])


def joined_epochs(found: Sequence[Sequence[Epochs]]) -> list[Epochs]:
    """Return the epochs of every model over all trainings, from those of every training ``[training][model]``."""
    return [
        Epochs(
            models[0].tasks,
            [epoch for each in models for epoch in each.best],
            [count for each in models for count in each.trained],
            [ended for each in models for ended in each.unfinished],
        )
        for models in zip(*found, strict=True)
    ]


def best_epoch(models: Sequence[Epochs]) -> str:
    """Return the mean best epoch as text, such as ``7 of 10``; of several models the range.

    Example:
        >>> one = Epochs(["click"], [6, 8], [10, 10], [False, False])
        >>> other = Epochs(["like"], [3, 4], [9, 9], [False, False])
        >>> best_epoch([one]), best_epoch([one, other]), best_epoch([])
        ('7 of 10', '3.5-7 of 9-10', '')
    """
    if not models:
        return ""
    best, trained = ([fmean(values) for values in of] for of in ([m.best for m in models], [m.trained for m in models]))
    return f"{_range(best)} of {_range(trained)}"


def _range(values: Sequence[float]) -> str:
    low, high = (f"{round(value, 1):g}" for value in (min(values), max(values)))
    return low if low == high else f"{low}-{high}"


def unfinished_tasks(epochs: Mapping[str, Sequence[Epochs]]) -> dict[str, list[str]]:
    """Return, by contestant, the tasks whose model was not trained to the end, if any."""
    found = {who: [task for each in models if each.too_few for task in each.tasks] for who, models in epochs.items()}
    return {who: tasks for who, tasks in found.items() if tasks}


def worded(
    verdicts: Sequence[Verdict],
    against: str,
    tasks: Sequence[Task],
    unfinished: Mapping[str, Sequence[str]],
    unshared: Collection[str],
) -> list[Verdict]:
    """Return verdicts whose words say no more than the trainings allow.

    Args:
        verdicts: the verdicts of intervals alone.
        against: the contestant that the others are compared with.
        tasks: all tasks.
        unfinished: by contestant, the tasks whose model was not trained to the end: neither these nor what is
            compared with them have a verdict.
        unshared: contestants that share nothing by nature, such as trees: nothing helps or hurts there.
    """
    owners = {output: task.name for task in tasks for output in task.outputs}

    def word(verdict: Verdict) -> Word:
        sides = {verdict.contestant, against}
        if any(owners[verdict.output] in unfinished.get(side, ()) for side in sides):
            return UNTRAINED
        return BESIDE.get(verdict.verdict, verdict.verdict) if sides & set(unshared) else verdict.verdict

    return [verdict._replace(verdict=word(verdict)) for verdict in verdicts]


def note_of(unfinished: Mapping[str, Sequence[str]]) -> str:
    """Return one line on the contestants that were not trained to the end, and what to do; empty if there are none.

    Example:
        >>> note_of({"MMoE": ["click"]})[:59]
        'NOT TRAINED TO THE END: MMoE (click). The last epoch is the'
    """
    if not unfinished:
        return ""
    who = "; ".join(f"{name} ({', '.join(tasks)})" for name, tasks in unfinished.items())
    return (
        f"NOT TRAINED TO THE END: {who}. The last epoch is the best one, so these models, and what is compared with "
        f"them, have no verdict: it may turn round. Try {MORE}."
    )
