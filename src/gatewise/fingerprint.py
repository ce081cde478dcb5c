"""What tells trainings apart that must not go on from each other's checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gatewise import declare

LOOKING = ("patience", "device", "conflict_every", "callbacks")
"""Options that change nothing of what is learnt."""


def fingerprint(schema: declare.Schema, options: declare.Options, train: str, valid: str | None) -> dict[str, str]:
    """Return every part of a training by name: what is declared as JSON, ``train`` and ``valid`` as digests of rows."""
    declared = declare.to_dict(options)
    # what is made of predictions changes nothing that is learnt
    declared.pop("fusion", None)
    # where the schedule does not end with the last epoch, more epochs are the same training
    bound = options.training.schedule is not None and options.training.schedule.ends_with_training
    for free in LOOKING if bound else (*LOOKING, "epochs"):
        declared["training"].pop(free)
    parts = dict(_leaves("", {"schema": declare.to_dict(schema), **declared}))
    return parts | {"training rows": train, "validation rows": "none" if valid is None else valid}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every value of nested declarations with its path, such as ``training.lr``."""
    items: Any = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else None
    if not items:
        yield name, json.dumps(value)
        return
    for key, inner in items:
        path = f"{name}[{key}]" if isinstance(value, list) else f"{name}.{key}" if name else str(key)
        yield from _leaves(path, inner)
