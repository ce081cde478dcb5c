"""Labels that are times, cut off where something ends."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from gatewise.declare.base import Name, declaration
from gatewise.declare.tasks.label import Label


@declaration
class Duration(Label):
    """A time of 0 or more, such as that for which a video was watched; who saw all of it might have gone on.

    The expected time up to the limit is predicted.

    Example:
        >>> Duration("play_time", limit="video_length").known_columns
        ('video_length',)
    """

    limit: Name | None = field(default=None, kw_only=True)
    """The column of the longest possible time, known beforehand: the item's length. It may be a feature's too. Null:
    there is none in this row."""
    unit: Annotated[float, Field(gt=0)] = field(default=1.0, kw_only=True)
    """What counts as a short time, in the label's unit: below it equal differences matter, above it equal ratios. 1000
    for a label in milliseconds learns what 1 learns from the same label in seconds."""
    kind: Literal["duration"] = field(default="duration", kw_only=True, repr=False)

    @property
    @override
    def known_columns(self) -> tuple[str, ...]:
        return () if self.limit is None else (self.limit,)
