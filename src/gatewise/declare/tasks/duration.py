"""Labels that are durations, censored at a limit."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from gatewise.declare.base import Name, declaration
from gatewise.declare.tasks.label import Label


@declaration
class Duration(Label):
    """A duration of 0 or more, such as watch time, which is censored at a limit, such as the video's length.

    The prediction is the expected time up to the limit.

    Example:
        >>> Duration("play_time", limit="video_length").known_columns
        ('video_length',)
    """

    limit: Name | None = field(default=None, kw_only=True)
    """The column of the longest possible time, such as the item's length, known before the prediction. A feature can
    read the column too. Rows with null have no limit."""
    unit: Annotated[float, Field(gt=0)] = field(default=1.0, kw_only=True)
    """Scale in the label's unit: below the scale, equal differences matter; above the scale, equal ratios. 1000 for a
    label in milliseconds is equal to 1 for a label in seconds."""
    kind: Literal["duration"] = field(default="duration", kw_only=True, repr=False)

    @property
    @override
    def known_columns(self) -> tuple[str, ...]:
        return () if self.limit is None else (self.limit,)
