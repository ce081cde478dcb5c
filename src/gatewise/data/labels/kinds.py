"""From a declared task to the encoder of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise import declare
from gatewise.data.labels.binary import BinaryLabels
from gatewise.data.labels.count import CountLabels
from gatewise.data.labels.duration import DurationLabels
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.labels.lifetime_value import LifetimeValueLabels
from gatewise.data.labels.multiclass import MulticlassLabels
from gatewise.data.labels.ordinal import OrdinalLabels
from gatewise.data.labels.regression import RegressionLabels

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
    # a registered kind reads numbers
    return ENCODERS.get(type(task), LabelEncoder)(task, statistics)
