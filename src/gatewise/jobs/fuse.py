"""The search for the weights of a fusion, for several goals that may conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatewise.analysis import Candidate, FusionFront, Goal, judge_of
from gatewise.declare import Fusion
from gatewise.errors import DeclarationError, TableError
from gatewise.jobs.weight_search import Tried, import_optuna, ranges_of, search
from gatewise.loading import load
from gatewise.progress import at_terminal, counting_down, working
from gatewise.ranker import Ranker
from gatewise.serving import find_artefact

DIGITS = 4
"""Decimals of a goal's value: orders that differ by less are equally good."""


def fuse(
    what: Ranker | str | Path,
    table: Any,
    goals: Sequence[str],
    *,
    fusion: str | None = None,
    trials: int = 200,
    seed: int = 0,
    ranges: Mapping[int, tuple[float, float]] | None = None,
    progress: bool | None = None,
) -> FusionFront:
    """Return the front of a search for weights whose order is good at several goals; the ranker does not change.

    The rows are predicted once; a trial only evaluates the expression and its goals. Predictions are calibrated if the
    ranker is. Ctrl-C ends the search and keeps the trials so far. Needs the extra ``tune``.

    Args:
        what: a fitted ranker, or the path of an artefact or a run.
        table: rows with features and labels that the model was not trained on.
        goals: metrics of an order and tasks whose labels judge it, such as ``["ndcg:click", "gauc:purchase"]``:
            ``auc``, ``pr_auc``, ``spearman``, ``gini``; within the schema's groups ``gauc``, ``ndcg@5``, ``mrr``,
            ``hit_rate@5``.
        fusion: the expression to start from; by default the ranker's own.
        trials: how many candidates are tried; 0: the expression is judged as it is.
        seed: of the search; equal seeds give equal results.
        ranges: the range of a weight, by its place in the expression, counted from 1; two equal ends fix the weight.
            By default from a tenth to ten times its value; a weight of 0 is fixed.
        progress: show progress; by default when standard error is a terminal.

    Raises:
        DeclarationError: there is no expression or no free weight, or a goal or a range is not valid.
        TableError: a goal is undefined on these rows, or their labels do not suit it.
        MissingExtraError: Optuna is not installed.

    Example:
        >>> import gatewise as gw
        >>> schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click"), gw.Binary("buy")])
        >>> rows = {"user": [1, 2] * 50, "click": [0, 1] * 50, "buy": [1, 0, 0, 0] * 25}
        >>> ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, fusion="1 * click + 1 * buy")
        >>> found = gw.fuse(ranker.fit(rows), rows, ["auc:click", "auc:buy"], trials=10)
        >>> ranker.fuse_by(found.choose("knee").expression).options.fusion == found.front[found.knee].expression
        True
    """
    show = at_terminal() if progress is None else progress
    if trials < 0:
        raise DeclarationError(f"fuse: trials: expected 0 or more, found {trials}")
    if trials:
        # a missing package is reported before the rows are read
        import_optuna()
    ranker = what if isinstance(what, Ranker) else load(find_artefact(Path(what)))
    scorer, started = ranker.scorer, _expression(ranker, fusion)
    wanted = [Goal.parse(goal, scorer.tasks, grouped=ranker.schema.group is not None) for goal in dict.fromkeys(goals)]
    if not wanted:
        raise DeclarationError("fuse: expected a goal or more, such as gauc:click, found none")
    ranged = ranges_of(started, ranges or {}) if trials or ranges else {}
    with working("predicting the rows", show):
        predicted = scorer.fusible(table, started)
    judge = judge_of(wanted, predicted)
    tried: list[Candidate] = []

    def values_of(candidate: Fusion) -> Tried:
        found = judge(candidate.evaluate(predicted.columns))
        values = tuple(round(value, DIGITS) for value in found if value is not None)
        # the rank correlation of equal scores is undefined
        if len(values) < len(found):
            return None
        tried.append(Candidate(str(candidate), candidate.weights, values))
        return values

    if values_of(started) is None:
        undefined = judge(started.evaluate(predicted.columns)).index(None)
        raise TableError(f"goal '{wanted[undefined]}': is undefined on these rows")
    with counting_down("trials", trials, show and trials > 0) as tell:
        interrupted = search(started, tried[0].values, values_of, ranged, trials, seed, tell)
    return FusionFront.of(map(str, wanted), len(predicted), tried, interrupted=interrupted)


def _expression(ranker: Ranker, fusion: str | None) -> Fusion:
    text = ranker.options.fusion if fusion is None else fusion
    if text is None:
        raise DeclarationError("fuse: this ranker has no fusion: give one, such as '1 * click + 3 * purchase^0.5'")
    started = Fusion.parse(text)
    predictions = [column for task in ranker.scorer.tasks for column in task.columns]
    started.check(predictions, known=ranker.schema.known)
    return started
