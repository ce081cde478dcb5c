"""Problems that the training rows and the metrics tell of: rare values, and tasks that a constant predicts as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gatewise.analysis.problems import Problem
from gatewise.analysis.verdicts import summary_of
from gatewise.metrics import NORMALISED_ENTROPY
from gatewise.tasks import Metrics, Task

FEW_ROWS = 10.0
"""Fewest rows of a value, on average, from which its embedding can be learnt."""
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
            f"min_count={FEW_ROWS:.0f} on it, embedding_decay of the training, or leaving it out",
        )
        for name, (values, rows) in usual.items()
        if rows < FEW_ROWS
    ]


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
    if entropy is not None and entropy > 1:
        what = f"the probabilities of {output!r} are worse than the rate of ones on the validation rows: "
        remedy = "calibration, fewer epochs with patience, or regularisation"
        yield Problem("below a constant", None, (output,), f"{what}normalised entropy {entropy:.3f}", remedy)
