"""The fingerprint of a training, which decides whether a checkpoint may be resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gatewise import declare
from gatewise.training.run_folder import DEFAULTS

LOOKING = (
    "patience",
    "device",
    "conflict_every",
    "callbacks",
    "memory",
    "cache",
    "save_minutes",
    "ranks",
    "tables",
    "keep_optimizer",
)
"""Options that do not change the trained model."""


def fingerprint(schema: declare.Schema, options: declare.Options, train: str, valid: str | None) -> dict[str, str]:
    """Return every part of a training by name: declarations as JSON, ``train`` and ``valid`` as digests of rows.

    The part ``DEFAULTS`` names those that have their default value, so that a checkpoint of a version without an option
    is one in which the option has its default.
    """
    whole, told = (_declared(schema, options, defaults=defaults) for defaults in (True, False))
    at_default = json.dumps([name for name in whole if name not in told])
    rows = {"training rows": train, "validation rows": "none" if valid is None else valid}
    return whole | rows | {DEFAULTS: at_default}


def _declared(schema: declare.Schema, options: declare.Options, *, defaults: bool) -> dict[str, str]:
    declared = declare.to_dict(options, defaults=defaults)
    # fusion and calibration do not change training
    declared.pop("fusion", None)
    # with a schedule that does not depend on the number of epochs, more epochs continue the same training
    bound = options.training.schedule is not None and options.training.schedule.ends_with_training
    for free in LOOKING if bound else (*LOOKING, "epochs"):
        declared.get("training", {}).pop(free, None)
    return dict(leaves("", {"schema": declare.to_dict(schema, defaults=defaults), **declared}))


def leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every value of nested declarations, with its path such as ``training.lr``."""
    items: Any = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else None
    if not items:
        yield name, json.dumps(value)
        return
    for key, inner in items:
        path = f"{name}[{key}]" if isinstance(value, list) else f"{name}.{key}" if name else str(key)
        yield from leaves(path, inner)
