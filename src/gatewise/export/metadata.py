"""The properties of an exported file."""

from __future__ import annotations

import json
from typing import Any

from gatewise import declare
from gatewise.export.ports import Port, type_name
from gatewise.export.program import Program
from gatewise.layout import PADDING
from gatewise.names import GATES
from gatewise.version import __version__

PREFIX = "gatewise."
FORM = f"{PREFIX}form"
FUSION = f"{PREFIX}fusion"


def describe(program: Program) -> dict[str, str]:
    """Return the properties of a file by name: texts, and JSON for properties of several values."""
    scorer = program.form.scorer
    values: dict[str, Any] = {
        "inputs": {port.name: _input(port) for port in program.form.ports},
        "outputs": {name: _output(name, program) for name in program.outputs},
        "tasks": [declare.to_dict(task) for task in scorer.encoder.schema.tasks],
        "calibration": {name: made.method for name, made in scorer.calibration.calibrators.items()},
    }
    found = {"version": __version__, "form": program.form.kind}
    found |= {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    if program.fusion is not None:
        found["fusion"] = str(program.fusion)
    return {f"{PREFIX}{name}": text for name, text in found.items()}


def _input(port: Port) -> dict[str, Any]:
    """Return type, sizes and meaning of an input, and its values for null and padding."""
    found: dict[str, Any] = {"type": type_name(port), "shape": list(port.dims), "holds": port.holds}
    listed = len(port.dims) > 1 and isinstance(port.dims[1], str)
    if port.features:
        found["features"] = list(port.features)
    if port.keys is not None:
        found["null"] = port.keys.null
    elif port.dtype.is_floating_point and not listed:
        found["null"] = "NaN"
    if listed:
        found["padding"] = _padding(port)
    if port.keys is not None and port.keys.no_item is not None:
        found["no_item"] = port.keys.no_item
    return found


def _padding(port: Port) -> int | str:
    if port.dtype.is_floating_point:
        return "NaN"
    return PADDING if port.keys is None else port.keys.padding


def _output(name: str, program: Program) -> dict[str, Any]:
    if name == GATES:
        return {"holds": "weight of every expert for every task", "shape": ["batch", "task", "expert"]}
    owner = next((task.name for task in program.tasks if name in task.columns), None)
    return {"shape": ["batch"]} | ({"holds": "fused score"} if owner is None else {"task": owner})
