"""What trackers record, as flat names and plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gatewise.history import EpochRecord
from gatewise.training import Facts

Parameter = bool | int | float | str


def parameters_of(facts: Facts | None, also: Mapping[str, Any]) -> dict[str, Parameter]:
    """Return every option by its path, such as ``training.lr``; lists as JSON, and what is None as text."""
    values: dict[str, Any] = dict(also)
    if facts is not None:
        values |= dict(facts.options)
        values["rows"], values["device"] = dict(facts.rows), facts.device
        values["parameters"] = {"all": facts.parameters, "embedded": facts.embedded}
        if facts.folder is not None:
            values["folder"] = str(facts.folder.absolute())
    return dict(_flat(values, ""))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Parameter]]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        elif isinstance(value, (bool, int, float, str)):
            yield path, value
        else:
            yield path, json.dumps(value, ensure_ascii=False, default=str)


def values_of(record: EpochRecord) -> dict[str, float]:
    """Return an epoch's figures by name, such as ``valid/click/auc``; undefined ones are left out."""
    found: dict[str, float | None] = {"lr": record.lr, "rows_per_second": record.rows_per_second, "score": record.score}
    for part, by_task in (("train", record.train), ("valid", record.valid)):
        found |= {f"{part}/{task}/{name}": value for task, each in by_task.items() for name, value in each.items()}
    for task, gate in record.gates.items():
        found[f"gates/{task}/entropy"] = gate["entropy"]
        found |= {f"gates/{task}/expert_{place}": weight for place, weight in enumerate(gate["weights"])}
    for pair in record.conflict:
        found["/".join(["conflict", pair["at"], *pair["tasks"]])] = pair["cosine"]
    return {name: value for name, value in found.items() if value is not None}


def final_values(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of held-out rows by name, such as ``final/test/click/auc``; undefined ones are left out."""
    return {
        f"final/{part}/{task}/{name}": value
        for part, by_task in metrics.items()
        for task, values in by_task.items()
        for name, value in values.items()
        if value is not None
    }


def name_of_run(facts: Facts | None, given: str | None = None) -> str | None:
    """Return the name of a run: the given name, or that of the run's folder; None without either."""
    if given is not None:
        return given
    return None if facts is None or facts.folder is None else facts.folder.absolute().name
