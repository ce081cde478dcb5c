"""One prediction taken apart, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from gatewise.cli.show import drawn

if TYPE_CHECKING:
    from gatewise.analysis import Explanation


def explanation_tables(found: Explanation, title: str, top: int) -> Group:
    """Return tables of the predictions and, per score, the parts of the experts and of the ``top`` features."""
    from gatewise.analysis import explanation_grids

    return Group(Text(title, style="bold"), *map(drawn, explanation_grids(found, top)))
