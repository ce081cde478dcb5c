"""The folder of a run: its files, and whether a training may start or resume there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.errors import ArtefactError, shown
from gatewise.training.checkpoint import load_checkpoint

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
DEFAULTS = "options at their defaults"
"""The part of a fingerprint that names them."""
IN_COMMANDS = " (gatewise train: --resume, --overwrite, or --new for a run beside it)"
"""What a refusal says of options on the command line."""
SHORT = 40
"""Largest length of values that are shown when they differ."""


def goes_on(run_dir: Path | None, *, resume: bool, overwrite: bool) -> bool:
    """Return whether a training resumes from the checkpoint of a run; False: it starts anew.

    A run that ended before its first checkpoint starts anew.

    Args:
        run_dir: folder of the checkpoints, or None.
        resume: resume from the checkpoint.
        overwrite: start anew, also if the folder holds another run.

    Raises:
        ArtefactError: no run to resume; or, with neither ``resume`` nor ``overwrite``, the folder holds a run, finished
            or not; says how many epochs it has.
    """
    if run_dir is None:
        if resume:
            raise ArtefactError("resume needs the folder of the run to go on with")
        return False
    there = (run_dir / CHECKPOINT).exists()
    if resume and not there and not run_dir.is_dir():
        raise ArtefactError(f"there is no run {str(run_dir)!r} to resume")
    if there and not (resume or overwrite):
        _refuse_loss(run_dir)
    return resume and there


def _refuse_loss(run_dir: Path) -> None:
    """Refuse to start over another run, which would be lost."""
    try:
        kept = load_checkpoint(run_dir / CHECKPOINT)
        reached, finished = len(kept["history"]), bool(kept["finished"])
    except (ArtefactError, KeyError, TypeError):
        # a damaged checkpoint cannot be resumed
        return
    if reached or kept.get("under_way"):
        what = "a finished training of" if finished else "an earlier training that is not at its end, of"
        further = "resume it with more epochs" if finished else "resume it"
        raise ArtefactError(
            f"run {str(run_dir)!r} holds {what} {reached} epochs: {further}, overwrite it, or choose another folder"
            + IN_COMMANDS
        )


def differences(kept: Any, declared: Mapping[str, str]) -> str:
    """Return the parts in which two fingerprints differ, with their values if these are short; empty if they agree."""
    if not isinstance(kept, Mapping):
        return "its checkpoint is of another version"
    # an option that an earlier version did not have had what is its default now
    new = {name for name in json.loads(declared.get(DEFAULTS, "[]")) if name not in kept}
    compared = [name for name in dict.fromkeys([*declared, *kept]) if name != DEFAULTS and name not in new]
    names = [name for name in compared if _of(declared, name) != _of(kept, name)]
    return "; ".join(_difference(name, kept.get(name), declared.get(name)) for name in names[:3]) + (
        f" and {len(names) - 3} more: {shown(names[3:])}" if len(names) > 3 else ""
    )


def _of(fingerprint: Mapping[str, str], name: str) -> str | None:
    """Return a part; an option that is absent, as in an earlier version, equals one that is not set."""
    value = fingerprint.get(name)
    return None if value in ("null", "[]") else value


def _difference(name: str, kept: str | None, declared: str | None) -> str:
    if any(value is not None and len(value) > SHORT for value in (kept, declared)):
        return f"{name} differs"
    was, now = ("absent" if value is None else value for value in (kept, declared))
    return f"{name} was {was} and is {now}"
