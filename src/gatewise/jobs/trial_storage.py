"""The trials of a search in a SQLite file, which a killed process leaves whole."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gatewise.errors import ArtefactError, MissingExtraError
from gatewise.report.search import Trial

if TYPE_CHECKING:
    import optuna

    Study: TypeAlias = optuna.Study
else:
    Study = Any

DATABASE, NAME, DIGEST = "tune.db", "tune", "digest"
UNTRIED = 5
"""Trials that are trained to their end, and that reached an epoch, before others are ended early at it."""


def opened(folder: Path, digest: str, *, overwrite: bool) -> Study:
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
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            # the database library warns of its own future
            warnings.simplefilter("ignore")
            study = optuna.create_study(
                storage=f"sqlite:///{path}",
                study_name=NAME,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(UNTRIED, n_warmup_steps=1, n_min_trials=UNTRIED),
            )
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


def trials_of(study: Study) -> list[Trial]:
    """Return all trials that came to an end, in their order; those that were killed are none."""
    found = []
    for trial in study.get_trials(deepcopy=False):
        known = trial.user_attrs
        if not trial.state.is_finished() or "seconds" not in known:
            continue
        state = "failed" if known["error"] else trial.state.name.lower()
        if state == "fail":
            # killed after its training and before it was told
            continue
        found.append(Trial(known["options"], trial.value, state, known["epochs"], known["seconds"], known["error"]))
    return found
