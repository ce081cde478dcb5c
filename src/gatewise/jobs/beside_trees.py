"""Trees beside one trained model: the predictions on which gradient-boosted trees are better."""

from __future__ import annotations

from dataclasses import replace

import torch

from gatewise.analysis import Verdict, verdicts, worded
from gatewise.data import extent_of
from gatewise.errors import DeclarationError, MissingExtraError, did_you_mean
from gatewise.jobs.comparison import trees_of
from gatewise.jobs.tables import Source, Tables
from gatewise.jobs.trees import Trees
from gatewise.ranker import Ranker
from gatewise.tasks import Predicted

MODEL = "model"
SAMPLES = 200
BASELINES = ("auto", "lightgbm", "none")
QUICK_BYTES = 32_000_000
"""Most bytes of tables on which trees take seconds, beside a training that takes longer."""


def trees_for(baseline: str, ranker: Ranker, tables: Tables) -> Trees | None:
    """Return the trees to train beside a model, before it is trained; None: no trees.

    Args:
        baseline: ``lightgbm``, ``none`` or ``auto``: LightGBM where it is installed, knows the kinds of all tasks, has
            held-out rows to be judged on, and takes seconds: the tables hold at most ``QUICK_BYTES``.
        ranker: the model before its training.
        tables: its rows.

    Raises:
        DeclarationError: an unknown baseline; with ``lightgbm``, a task that trees cannot learn, or no rows to judge
            on.
        MissingExtraError: with ``lightgbm``, LightGBM is not installed.
    """
    if baseline == "none":
        return None
    if baseline != "auto":
        return _checked(baseline, ranker, tables)
    if sum(map(_bytes, (tables.train, tables.valid, tables.test))) > QUICK_BYTES:
        return None
    try:
        return _checked("lightgbm", ranker, tables)
    except (DeclarationError, MissingExtraError):
        return None


def _checked(baseline: str, ranker: Ranker, tables: Tables) -> Trees:
    if baseline not in BASELINES:
        names = ", ".join(BASELINES)
        raise DeclarationError(f"baseline: expected {names}, found {baseline!r}{did_you_mean(baseline, BASELINES)}")
    if tables.valid is None and tables.test is None:
        raise DeclarationError("train: --baseline judges on test or validation rows, and the recipe's data has neither")
    (trees,) = trees_of(baseline, ranker.schema)
    return trees


def _bytes(source: Source | None) -> int:
    if source is None:
        return 0
    known = extent_of(source).bytes
    return QUICK_BYTES + 1 if known is None else known


def beside_trees(ranker: Ranker, trees: Trees, tables: Tables) -> list[Verdict]:
    """Train trees on the model's tables, and return a verdict on the trees per output, by its main metric.

    They are judged on the test rows, or on the validation rows where there are none.
    """
    test = tables.valid if tables.test is None else tables.test
    assert test is not None
    learnt = trees.learn(ranker.options.training.seed, replace(tables, test=test))
    ours = ranker.scorer.predicted(test, as_of=tables.moment(ranker.schema, test))
    columns = {name: torch.from_numpy(column.copy()) for name, column in learnt.columns.items()}
    theirs = Predicted(ours.tasks, columns, ours.labels, ours.groups)
    found = verdicts({MODEL: [ours], trees.name: [theirs]}, MODEL, samples=SAMPLES)
    return worded(found, MODEL, ours.tasks, {}, [trees.name])


def in_words(found: list[Verdict]) -> list[str]:
    """Return one line per output on which the trees are better, or one line that there is none.

    Example:
        >>> in_words([Verdict("LightGBM", "click", "auc", 0.021, 0.01, 0.03, [0.021], "better")])
        ["LightGBM is better on 'click': auc +0.0210 (+0.0100 to +0.0300)"]
        >>> in_words([Verdict("LightGBM", "click", "auc", -0.021, -0.03, -0.01, [-0.021], "worse")])
        ['LightGBM is better on no prediction: worse on click']
    """
    better = [each for each in found if each.verdict == "better"]
    if not better:
        worse = ", ".join(each.output for each in found if each.verdict == "worse")
        return [f"{found[0].contestant} is better on no prediction" + (f": worse on {worse}" if worse else "")]
    return [
        f"{each.contestant} is better on {each.output!r}: {each.metric} {each.change:+.4f} "
        f"({each.low:+.4f} to {each.high:+.4f})"
        for each in better
    ]
