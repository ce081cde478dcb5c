"""Tasks: what the model predicts. A null label takes its row out of that task's sample, and of no other's."""

from typing import Annotated

from pydantic import Field

from gatewise.declare.tasks.binary import Binary
from gatewise.declare.tasks.label import Label
from gatewise.declare.tasks.regression import Regression

Task = Annotated[Binary | Regression, Field(discriminator="kind")]

__all__ = ["Binary", "Label", "Regression", "Task"]
