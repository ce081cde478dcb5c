"""The fingerprint of a training, which decides whether a checkpoint may be resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gatewise import declare

LOOKING = ("patience", "device", "conflict_every", "callbacks")
"""Options that do not change the trained model."""


def fingerprint(schema: declare.Schema, options: declare.Options, train: str, valid: str | None) -> dict[str, str]:
    """Return every part of a training by name: declarations as JSON, ``train`` and ``valid`` as digests of rows."""
    declared = declare.to_dict(options)
    # fusion and calibration do not change training
    declared.pop("fusion", None)
    # with a schedule that does not depend on the number of epochs, more epochs continue the same training
    bound = options.training.schedule is not None and options.training.schedule.ends_with_training
    for free in LOOKING if bound else (*LOOKING, "epochs"):
        declared["training"].pop(free)
    parts = dict(_leaves("", {"schema": declare.to_dict(schema), **declared}))
    return parts | {"training rows": train, "validation rows": "none" if valid is None else valid}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every value of nested declarations, with its path such as ``training.lr``."""
    items: Any = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else None
    if not items:
        yield name, json.dumps(value)
        return
    for key, inner in items:
        path = f"{name}[{key}]" if isinstance(value, list) else f"{name}.{key}" if name else str(key)
        yield from _leaves(path, inner)
