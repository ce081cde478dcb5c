"""Tasks: the labels to predict. A row with a null label is outside the sample of this task only."""

from typing import Annotated

from pydantic import Field

from gatewise.declare.doors import OpenTo
from gatewise.declare.tasks.binary import Binary
from gatewise.declare.tasks.count import Count
from gatewise.declare.tasks.custom import Custom
from gatewise.declare.tasks.duration import Duration
from gatewise.declare.tasks.label import Label
from gatewise.declare.tasks.lifetime_value import LifetimeValue
from gatewise.declare.tasks.multiclass import Multiclass
from gatewise.declare.tasks.ordinal import Ordinal
from gatewise.declare.tasks.regression import Regression

Task = Annotated[
    Binary | Regression | Multiclass | Ordinal | Count | LifetimeValue | Duration | Custom,
    Field(discriminator="kind"),
    OpenTo("task"),
]

__all__ = [
    "Binary",
    "Count",
    "Custom",
    "Duration",
    "Label",
    "LifetimeValue",
    "Multiclass",
    "Ordinal",
    "Regression",
    "Task",
]
