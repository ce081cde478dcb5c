"""The folder of a run: what is in it, and whether a training may begin or go on there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.errors import ArtefactError, shown
from gatewise.training.checkpoint import load_checkpoint

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
SHORT = 40
"""Values up to so many letters are shown when they differ."""


def goes_on(run_dir: Path | None, epochs: int, *, resume: bool, overwrite: bool) -> bool:
    """Return whether a training goes on from the checkpoint of a run, or else begins.

    A run that ended before its first checkpoint begins anew.

    Args:
        run_dir: where checkpoints are, if anywhere.
        epochs: of the training at most.
        resume: go on.
        overwrite: begin, whatever is there.

    Raises:
        ArtefactError: a run is to be resumed that is not there; or, with neither ``resume`` nor ``overwrite``, one is
            there that did not come to its end, or that is longer: says how far it has come.
    """
    if run_dir is None:
        if resume:
            raise ArtefactError("resume needs the folder of the run to go on with")
        return False
    there = (run_dir / CHECKPOINT).exists()
    if resume and not there and not run_dir.is_dir():
        raise ArtefactError(f"there is no run {str(run_dir)!r} to resume")
    if there and not (resume or overwrite):
        _refuse_loss(run_dir, epochs)
    return resume and there


def _refuse_loss(run_dir: Path, epochs: int) -> None:
    """Refuse to begin where an earlier training holds what this one may not bring again."""
    try:
        kept = load_checkpoint(run_dir / CHECKPOINT)
        reached, finished = len(kept["history"]), bool(kept["finished"])
    except (ArtefactError, KeyError, TypeError):
        # nobody can go on with it
        return
    if reached and (reached > epochs or not finished):
        state = "" if finished else " that is not at its end"
        raise ArtefactError(
            f"run {str(run_dir)!r} holds {reached} epochs of an earlier training{state}: resume it, overwrite it, "
            "or choose another folder"
        )


def differences(kept: Any, declared: Mapping[str, str]) -> str:
    """Say in which parts two fingerprints differ, and how where that is short; nothing where they agree."""
    if not isinstance(kept, Mapping):
        return "its checkpoint is of another version"
    names = [name for name in dict.fromkeys([*declared, *kept]) if _of(declared, name) != _of(kept, name)]
    return "; ".join(_difference(name, kept.get(name), declared.get(name)) for name in names[:3]) + (
        f" and {len(names) - 3} more: {shown(names[3:])}" if len(names) > 3 else ""
    )


def _of(fingerprint: Mapping[str, str], name: str) -> str | None:
    """Return a part; an option that an earlier version did not have is like one that is not set."""
    value = fingerprint.get(name)
    return None if value in ("null", "[]") else value


def _difference(name: str, kept: str | None, declared: str | None) -> str:
    if any(value is not None and len(value) > SHORT for value in (kept, declared)):
        return f"{name} differs"
    was, now = ("absent" if value is None else value for value in (kept, declared))
    return f"{name} was {was} and is {now}"
