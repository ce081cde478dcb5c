"""From a declared task to the encoder of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise import declare
from gatewise.data.labels.binary import BinaryLabels
from gatewise.data.labels.label import LabelEncoder

ENCODERS: dict[type[declare.Label], type[LabelEncoder[Any]]] = {
    declare.Binary: BinaryLabels,
    declare.Regression: LabelEncoder,
}


def label_encoder(task: declare.Task, statistics: Mapping[str, Any] | None = None) -> LabelEncoder[Any]:
    """Return the encoder of a task's labels, with statistics that were learnt before, if any."""
    return ENCODERS[type(task)](task, statistics)
