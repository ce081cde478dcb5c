"""Problems of a mixture of experts, in words, with remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from typing_extensions import override

from gatewise.analysis.gate_usage import GateUsage, usage_of
from gatewise.analysis.similarity import Similarity

Kind = Literal[
    "dead expert",
    "collapsed gate",
    "duplicate experts",
    "starving task",
    "unfinished training",
    "rare values",
    "large vocabulary",
    "below a constant",
    "overfitting",
    "leak",
    "undefined metric",
    "wrong total",
    "far from validation",
    "unseen values",
    "missing values",
    "contradicting labels",
]

COLLAPSED_WEIGHT = 0.99
DEAD_WEIGHT = 0.01
DUPLICATE_CKA = 0.99
FEWEST_EPOCHS = 3
"""Fewest epochs of a training that can be called unfinished."""
STILL_LEARNING = 0.005
"""Share of all progress that an epoch brings as long as learning has not ended."""
STARVING_SHARE = 0.05


class Problem(NamedTuple):
    """A problem of a trained model.

    Attributes:
        kind: the kind of problem.
        layer: the layer, as in :class:`GateUsage`; None for a task, a feature, and the training.
        who: names of the experts, tasks, predictions or features; empty for the training.
        found: the problem, as a clause.
        remedy: what to try.
    """

    kind: Kind
    layer: str | None
    who: tuple[str, ...]
    found: str
    remedy: str

    @override
    def __str__(self) -> str:
        return f"{self.found}; try {self.remedy}"


def mixture_problems(usage: Sequence[GateUsage], similarity: Sequence[Similarity] = ()) -> list[Problem]:
    """Return collapsed gates, dead experts and duplicate experts, as problems.

    A gate has collapsed if the mean over rows of its largest weight is at least 0.99: it uses one expert per row. A
    sparse gate (top-k, DSelect-k) may use one expert per row; it has collapsed if one expert has a mean weight of 0.99.
    An expert is dead if no gate that reaches it gives it a mean weight of 0.01 or more, or if its output is equal in
    all rows. Two experts are duplicates if their CKA is at least 0.99. Slices in ``usage`` are ignored, and so are
    gates that reach one expert, because they have no choice.

    Args:
        usage: of every level over all rows.
        similarity: of every level; without it duplicates are not found.
    """
    whole = [each for each in usage if each.column is None and each.rows and len(each.experts) > 1]
    # the gates of the last level are those of the tasks; lower gates may belong to other units
    tasks = whole[-1].gates if whole else ()
    found: list[Problem] = []
    for each in whole:
        found += [*_collapsed(each, tasks), *_dead(each)]
    known = {problem.who for problem in found if problem.kind == "dead expert"}
    for level in similarity:
        found += [problem for problem in _constant(level) if problem.who not in known]
        found += _duplicates(level)
    return found


def _collapsed(usage: GateUsage, tasks: Sequence[str]) -> Iterator[Problem]:
    where, favourites = _where(usage.layer), usage.weights.argmax(axis=1)
    for gate, favourite in enumerate(favourites):
        mean = float(usage.weights[gate, favourite])
        weight = mean if usage.sparse else float(usage.largest[gate])
        if weight >= COLLAPSED_WEIGHT and usage.reached[gate].sum() > 1:
            name, expert = usage.gates[gate], called(usage.experts[favourite])
            owner = f"task {name!r}" if name in tasks else repr(name)
            yield Problem(
                "collapsed gate",
                usage.layer,
                (name,),
                f"the gate of {owner}{where} has collapsed: its largest weight is {weight:.3f} on average, "
                f"mostly of {expert}",
                "fewer experts, a lower lr, or dropout",
            )


def _dead(usage: GateUsage) -> Iterator[Problem]:
    for expert, weight in zip(usage.experts, usage.weights.max(axis=0), strict=True):
        if weight < DEAD_WEIGHT:
            yield Problem(
                "dead expert",
                usage.layer,
                (expert,),
                f"{called(expert)}{_where(usage.layer)} is dead: no gate gives it more than {weight:.4f} on average",
                "fewer experts or a lower lr",
            )


def _constant(similarity: Similarity) -> Iterator[Problem]:
    for expert, own in zip(similarity.experts, similarity.cka.diagonal(), strict=True):
        if similarity.rows > 1 and np.isnan(own):
            yield Problem(
                "dead expert",
                similarity.layer,
                (expert,),
                f"{called(expert)}{_where(similarity.layer)} is dead: it gives the same for all rows",
                "a lower lr, or an activation that does not die, such as silu or leaky_relu",
            )


def _duplicates(similarity: Similarity) -> Iterator[Problem]:
    left = list(range(len(similarity.experts)))
    while left:
        first, *others = left
        alike = [first, *(expert for expert in others if similarity.cka[first, expert] >= DUPLICATE_CKA)]
        left = [expert for expert in left if expert not in alike]
        if len(alike) > 1:
            least = float(similarity.cka[first, alike[1:]].min())
            names = tuple(similarity.experts[expert] for expert in alike)
            listed = f"{', '.join(map(called, names[:-1]))} and {called(names[-1])}{_where(similarity.layer)}"
            yield Problem(
                "duplicate experts",
                similarity.layer,
                names,
                f"{listed} give almost the same: a CKA of {least:.3f}",
                "fewer experts, or experts of different kinds",
            )


def starving_tasks(
    train: Mapping[str, Mapping[str, float]],
    conflict: Sequence[Mapping[str, Any]] = (),
    declared: Mapping[str, float] | None = None,
) -> list[Problem]:
    r"""Return the tasks that hardly change the shared weights, as problems.

    A task starves if its weight, divided by its declared weight, is below 1/20 of another task's; or if its weighted
    gradient at the experts is shorter than 1/20 of another task's, if conflict was recorded.

    Args:
        train: of one epoch in the history: the mean ``weight`` of each task.
        conflict: of the same epoch: the ratios of gradient norms.
        declared: the tasks' declared weights; 1 by default. A task of weight 0 is meant to starve.
    """
    meant = {task: 1.0 if declared is None else declared.get(task, 1.0) for task in train}
    given = {task: values["weight"] / meant[task] for task, values in train.items() if meant[task] > 0}
    found = []
    for task, weight in given.items():
        most = max(given, key=given.__getitem__)
        if weight < STARVING_SHARE * given[most]:
            what = f"it is given a weight of {weight:.3g}, {most!r} one of {given[most]:.3g}"
            found.append(_starving(task, what))
    starved = {problem.who[0] for problem in found}
    for record in conflict:
        ratio = record.get("norm_ratio")
        if record["at"] == "experts" and ratio is not None:
            pair = _by_gradients(record["tasks"], ratio, train, meant)
            found += [problem for problem in pair if problem.who[0] not in starved]
            starved |= {problem.who[0] for problem in found}
    return found


def _by_gradients(
    pair: Sequence[str], ratio: float, train: Mapping[str, Mapping[str, float]], meant: Mapping[str, float]
) -> Iterator[Problem]:
    one, other = pair
    if min(meant[one], meant[other]) > 0 and train[other]["weight"] > 0:
        longer = ratio * train[one]["weight"] / train[other]["weight"]
        for task, rival, share in ((one, other, longer), (other, one, 1 / longer if longer else 1.0)):
            if share < STARVING_SHARE:
                what = f"its weighted gradient at the experts is {share:.3f} times as long as that of {rival!r}"
                yield _starving(task, what)


def _starving(task: str, what: str) -> Problem:
    return Problem(
        "starving task",
        None,
        (task,),
        f"task {task!r} starves: {what}",
        "a larger weight, a balancing rule that looks at gradients, such as upgrad, or experts of its own, as in ple",
    )


def called(expert: str) -> str:
    """Return the name of an expert within a sentence.

    Example:
        >>> called("expert 3"), called("shared 1")
        ('expert 3', "expert 'shared 1'")
    """
    return expert if expert.startswith("expert ") else f"expert {expert!r}"


def _where(layer: str) -> str:
    return "" if layer == "experts" else f" in {layer}"


def gate_problems(gates: np.ndarray, tasks: Sequence[str]) -> list[str]:
    """Return sentences on collapsed gates and dead experts, see :func:`mixture_problems`.

    Args:
        gates: ``[row, task, expert]``.
        tasks: names of the tasks.

    Returns:
        One sentence per problem; none if there is no problem, or a single expert.
    """
    names = [f"expert {i}" for i in range(gates.shape[2])]
    return [str(problem) for problem in mixture_problems([usage_of(torch.from_numpy(gates), tasks, names)])]


def still_learning(scores: Sequence[float | None], epochs: int) -> bool:
    """Return whether training ended before learning did.

    It did if the last of all declared epochs has the best score, and this epoch still brought 0.5 % or more of what
    the epochs after the first brought together; so a learning rate that falls to 0 ends learning. A single epoch has
    nothing to be compared with, and is too few.

    Args:
        scores: the monitored score of every epoch, greater is better; None without validation rows.
        epochs: the declared number of epochs.
    """
    known = [score for score in scores if score is not None]
    if not known or len(known) < epochs:
        return False
    before = max(known[:-1], default=None)
    if before is None:
        return True
    return known[-1] > before and known[-1] - before >= STILL_LEARNING * (known[-1] - known[0])


def unfinished_training(scores: Sequence[float | None], epochs: int) -> list[Problem]:
    """Return the problem that training ended before learning did, if it did, see :func:`still_learning`.

    Args:
        scores: the monitored score of every epoch, greater is better; None without validation rows.
        epochs: the declared number of epochs; fewer than 3 are a deliberate glance, and no problem.
    """
    known = [score for score in scores if score is not None]
    if len(known) < FEWEST_EPOCHS or not still_learning(known, epochs):
        return []
    rise = known[-1] - max(known[:-1])
    return [
        Problem(
            "unfinished training",
            None,
            (),
            f"the last of {epochs} epochs is the best one, and the score still rose by {rise:.2g} in it",
            "more epochs, or a smaller batch_size where there are few rows: verdicts on such a model are premature",
        )
    ]
