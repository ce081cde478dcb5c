"""The trials of a search in a SQLite file, which a killed process leaves whole."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gatewise.errors import ArtefactError, MissingExtraError
from gatewise.jobs.tune_attempt import Outcome
from gatewise.report.search import Trial

if TYPE_CHECKING:
    import optuna

    Study: TypeAlias = optuna.Study
else:
    Study = Any

DATABASE, NAME, DIGEST = "tune.db", "tune", "digest"
UNTRIED = 5
"""Trials that are trained to their end, and that reached an epoch, before others are ended early at it."""
PATIENCE = 60
"""Seconds that a process waits for another one that writes into the file."""


def opened(folder: Path, digest: str, goals: int, *, overwrite: bool) -> Study:
    """Return the study in a folder, or a new one; trials of a process that was killed are given up.

    Raises:
        ArtefactError: the folder holds a search with another digest, or a damaged file.
        MissingExtraError: Optuna is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise MissingExtraError("tune", "looking for options") from None
    path = folder / DATABASE
    if overwrite:
        path.unlink(missing_ok=True)
    try:
        study = connected(folder, goals)
    except Exception as error:
        raise ArtefactError(f"cannot read the search in {str(path)!r}: {str(error).splitlines()[0]}") from None
    if study.user_attrs.setdefault(DIGEST, digest) != digest:
        raise ArtefactError(
            f"{str(folder)!r} holds the search of another recipe, space or seed: overwrite it, or choose another folder"
        )
    study.set_user_attr(DIGEST, digest)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def connected(folder: Path, goals: int) -> Study:
    """Return the study in a folder, which every process of a search has to itself."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        # the database library warns of its own future
        warnings.simplefilter("ignore")
        return optuna.create_study(
            storage=optuna.storages.RDBStorage(
                f"sqlite:///{folder / DATABASE}", engine_kwargs={"connect_args": {"timeout": PATIENCE}}
            ),
            study_name=NAME,
            directions=["maximize"] * goals,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(UNTRIED, n_warmup_steps=1, n_min_trials=UNTRIED),
        )


def told(study: Study, trial: optuna.Trial, number: int, options: Mapping[str, Any], outcome: Outcome) -> None:
    """Keep what became of a trial."""
    import optuna

    kept = {"number": number, "options": dict(options), "values": outcome.values, "error": outcome.error}
    for name, value in {**kept, "epochs": outcome.epochs, "seconds": outcome.seconds}.items():
        trial.set_user_attr(name, value)
    state = {
        "complete": optuna.trial.TrialState.COMPLETE,
        "pruned": optuna.trial.TrialState.PRUNED,
        "failed": optuna.trial.TrialState.FAIL,
    }[outcome.state]
    study.tell(trial, outcome.values if outcome.state == "complete" else None, state=state)


def trials_of(study: Study) -> list[Trial]:
    """Return all trials that came to an end, by their numbers; those that were killed are none."""
    found = []
    for trial in study.get_trials(deepcopy=False):
        known = trial.user_attrs
        if not trial.state.is_finished() or "seconds" not in known:
            continue
        state = "failed" if known["error"] else trial.state.name.lower()
        if state == "fail":
            # killed after its training and before it was told
            continue
        values = None if known["values"] is None else tuple(known["values"])
        found.append(
            Trial(known["number"], known["options"], values, state, known["epochs"], known["seconds"], known["error"])
        )
    return sorted(found, key=lambda trial: trial.number)
