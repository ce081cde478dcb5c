"""From a declared task to the encoder of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise import declare
from gatewise.data.labels.classes import MulticlassLabels, OrdinalLabels
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.labels.late import LateLabels
from gatewise.data.labels.numbers import (
    BinaryLabels,
    CountLabels,
    DurationLabels,
    LifetimeValueLabels,
    RegressionLabels,
)
from gatewise.data.labels.sampled import SampledLabels

ENCODERS: dict[type[declare.Label], type[LabelEncoder[Any]]] = {
    declare.Binary: BinaryLabels,
    declare.Regression: RegressionLabels,
    declare.Multiclass: MulticlassLabels,
    declare.Ordinal: OrdinalLabels,
    declare.Count: CountLabels,
    declare.LifetimeValue: LifetimeValueLabels,
    declare.Duration: DurationLabels,
    declare.Custom: LabelEncoder,
}


def label_encoder(task: declare.Task, statistics: Mapping[str, Any] | None = None) -> LabelEncoder[Any]:
    """Return the label encoder of a task, with saved statistics if given."""
    if isinstance(task, declare.Binary) and task.late != "wait":
        return LateLabels(task, statistics)
    if isinstance(task, declare.Binary) and isinstance(task.negatives_kept, str):
        return SampledLabels(task, statistics)
    # a registered kind reads numbers
    return ENCODERS.get(type(task), LabelEncoder)(task, statistics)
