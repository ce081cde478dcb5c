"""Problems that training rows, history and metrics tell of: rare values, overfitting, tasks below a constant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from gatewise.analysis.problems import Problem
from gatewise.analysis.verdicts import summary_of
from gatewise.history import EpochRecord, kept_epoch
from gatewise.metrics import NORMALISED_ENTROPY
from gatewise.tasks import Metrics, Task

FEW_ROWS = 10.0
"""Fewest rows of a value, on average, from which its embedding can be learnt."""
FALLEN, EARLY = 0.05, 4
"""How much of a score is lost where rows are remembered; fewest epochs that say so if the first is the best."""
OF_A_CONSTANT: Mapping[str, float] = {"auc": 0.5, "macro_auc": 0.5, "r2": 0.0, "gini": 0.0, "spearman": 0.0}
"""What a constant prediction has by each metric that sums up a task; by R2 the best constant of all."""


def rare_values(usual: Mapping[str, tuple[int, float]]) -> list[Problem]:
    """Return the features whose values stand in few training rows each, as problems.

    An embedding of a value that a handful of rows hold remembers these rows, noise included.

    Args:
        usual: by feature, how many values its vocabulary has, and in how many training rows a value stands on average.
    """
    return [
        Problem(
            "rare values",
            None,
            (name,),
            f"feature {name!r} has {values:,} values with {rows:.1f} training rows each on average: its embeddings "
            "remember rows",
            f"id_dropout of the model, min_count={FEW_ROWS:.0f} on it, or leaving it out",
        )
        for name, (values, rows) in usual.items()
        if rows < FEW_ROWS
    ]


def overfitting(history: Sequence[EpochRecord]) -> list[Problem]:
    """Return the problem that rows were remembered from early on, if they were.

    They were if the score of the validation rows fell by .05 or more from the best to the last epoch, or the first of
    four epochs or more is the best one, while the training loss went on falling.

    Args:
        history: one record per epoch.
    """
    kept = kept_epoch(history)
    if kept is None or kept.score is None or (last := history[-1]).score is None or last.epoch <= kept.epoch:
        return []
    at_best, at_last = (fmean(task["loss"] for task in record.train.values()) for record in (kept, last))
    fell = kept.score - last.score
    early = kept.epoch == 1 and len(history) >= EARLY
    if at_last >= at_best or not (fell >= FALLEN or early):
        return []
    found = (
        f"after epoch {kept.epoch} of {last.epoch} the training loss fell from {at_best:.4g} to {at_last:.4g}, and the "
        f"score of the validation rows by {fell:.3g}: rows are remembered"
    )
    remedy = (
        "dropout, l2_embedding or weight_decay, min_count where values are rare, a lower lr; the best epoch is kept"
    )
    return [Problem("overfitting", None, (), found, remedy)]


def below_a_constant(tasks: Sequence[Task], metrics: Metrics) -> list[Problem]:
    """Return the outputs that a constant prediction predicts as well, as problems.

    An output is judged by its main metric. A probability is also judged by its normalised entropy: above 1 its log loss
    is larger than that of the rate of ones.

    Args:
        tasks: the tasks of the model.
        metrics: their metrics on validation rows; what is absent or undefined is no problem.
    """
    return [problem for task in tasks for output in task.outputs for problem in _below(task, output, metrics)]


def _below(task: Task, output: str, metrics: Metrics) -> Iterator[Problem]:
    found, main = metrics.get(output, {}), summary_of(task, output).name
    value, constant = found.get(main), OF_A_CONSTANT.get(main)
    if value is not None and constant is not None and value <= constant:
        remedy = "features that tell of it, more rows, or a larger weight; trees beside it say whether there is more"
        what = f"prediction {output!r} is no better than a constant on the validation rows: {main} {value:.4f}, "
        yield Problem("below a constant", None, (output,), f"{what}a constant has {constant:g}", remedy)
        return
    entropy = found.get(NORMALISED_ENTROPY.name)
    # what is 1 to four digits is not worse
    if entropy is not None and round(entropy, 4) > 1:
        what = f"the probabilities of {output!r} are worse than the rate of ones on the validation rows: "
        remedy = "calibration, fewer epochs with patience, or regularisation"
        yield Problem("below a constant", None, (output,), f"{what}normalised entropy {entropy:.4f}", remedy)
