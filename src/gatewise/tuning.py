"""Static task weights found by a small search."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gatewise import declare
from gatewise.errors import ArtefactError, TrainingError
from gatewise.files import write_text
from gatewise.fitting import make_trainer
from gatewise.serving import Scorer
from gatewise.training import Reporter, TrainingRows

TUNED = "balance.json"


def candidate_weights(tuned: declare.TunedStatic, tasks: list[str], seed: int) -> list[dict[str, float]]:
    """Return the candidate weights, each set with a mean of 1: equal weights first, then evenly spread ones.

    Logarithms of weights come from a scrambled Sobol sequence, which leaves no large gaps even with few candidates.
    """
    engine = torch.quasirandom.SobolEngine(len(tasks), scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    spread = (engine.draw(tuned.candidates - 1).double() * math.log(tuned.spread)).exp()
    weights = torch.cat([torch.ones(1, len(tasks), dtype=torch.float64), spread])
    weights = weights * len(tasks) / weights.sum(dim=1, keepdim=True)
    return [dict(zip(tasks, row, strict=True)) for row in weights.tolist()]


def tuned(
    scorer: Scorer,
    options: declare.Options,
    train: TrainingRows,
    valid: TrainingRows | None,
    *,
    run_dir: Path | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> declare.Options:
    """Return the options with the weights of ``tuned_static``, found by short trainings.

    Every candidate is trained from the same untrained model, with all other options unchanged, and judged by the
    monitored score on the validation rows; of candidates with equal scores the first is chosen.

    Args:
        scorer: a scorer with an untrained model, which stays unchanged.
        options: the declared options.
        train: training rows.
        valid: validation rows.
        run_dir: folder of ``balance.json``, which holds the weights, and all candidates with their scores.
        resume: read the weights from ``balance.json`` if the file exists.
        reporter: called on the progress of each training.

    Raises:
        TrainingError: no candidate can be trained.
        ArtefactError: ``balance.json`` is damaged.
    """
    searched = options.balance
    if valid is None or not isinstance(searched, declare.TunedStatic):
        return options
    path = None if run_dir is None else run_dir / TUNED
    if resume and path is not None and path.exists():
        return replace(options, balance=declare.Static(weights=_read(path)))
    short = replace(options.training, epochs=searched.epochs, patience=None, conflict_every=None)
    tried: list[dict[str, Any]] = []
    for weights in candidate_weights(searched, [task.name for task in scorer.tasks], options.training.seed):
        trial = replace(options, balance=declare.Static(weights=weights), training=short)
        tried.append({"weights": weights, **_judged(scorer, trial, (train, valid), reporter or Reporter())})
    known = [candidate for candidate in tried if candidate["score"] is not None]
    if not known:
        raise TrainingError(f"tuned_static: no candidate can be trained; {tried[0]['error']}")
    best = max(known, key=lambda candidate: candidate["score"])
    if path is not None:
        write_text(path, json.dumps({"weights": best["weights"], "tried": tried}, indent=2) + "\n")
    return replace(options, balance=declare.Static(weights=best["weights"]))


def _judged(
    scorer: Scorer, options: declare.Options, rows: tuple[TrainingRows, TrainingRows], reporter: Reporter
) -> dict[str, Any]:
    """Return the best score of a short training, or the reason why it failed."""
    train, valid = rows
    trainer = make_trainer(replace(scorer, model=deepcopy(scorer.model)), options, train, None, reporter)
    try:
        trainer.fit(train, valid)
    except TrainingError as error:
        return {"score": None, "error": str(error)}
    return {"score": trainer.stopping.best_score}


def _read(path: Path) -> dict[str, float]:
    try:
        weights: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["weights"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{str(path)!r} does not hold the weights that were found: {error}") from None
    return weights
