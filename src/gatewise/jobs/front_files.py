"""A front as a file: JSON, CSV or a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatewise.analysis import FusionFront
from gatewise.errors import DeclarationError, MissingExtraError
from gatewise.files import write_atomically, write_text
from gatewise.jobs.train import write_json
from gatewise.plots.axes import PLAIN_STYLE

PANEL = (4.6, 4.2)
"""Width and height in inches of one pair of goals in a picture."""
STYLE: Any = {**PLAIN_STYLE, "font.size": 9, "legend.fontsize": 8, "svg.hashsalt": "front"}


def write_front(found: FusionFront, path: Path) -> None:
    """Write a front, in the format of the file's suffix.

    Raises:
        ArtefactError: the file cannot be written.
    """
    WRITERS[path.suffix.lower()](found, path)


def check_file(path: Path, goals: int) -> None:
    """Refuse a file that :func:`write_front` could not write, before the search.

    Raises:
        DeclarationError: the suffix is unknown, or the file is a picture and there is one goal.
        MissingExtraError: the file is a picture, and matplotlib is not installed.
    """
    if path.suffix.lower() not in WRITERS:
        raise DeclarationError(f"output {str(path)!r}: expected a file ending in {', '.join(WRITERS)}")
    if path.suffix.lower() in PICTURES:
        if goals < 2:
            raise DeclarationError(f"output {str(path)!r}: a picture shows two goals or more, found {goals}")
        try:
            import matplotlib  # noqa: F401
        except ModuleNotFoundError:
            raise MissingExtraError("report", "drawing") from None


def _write_csv(found: FusionFront, path: Path) -> None:
    """Write one line per candidate: the current one, then the front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["point", *found.goals, "expression"])
    for name, candidate in found.points():
        writer.writerow([name, *candidate.values, candidate.expression])
    write_text(path, text.getvalue())


def _write_picture(found: FusionFront, path: Path) -> None:
    """Draw every pair of goals beside each other."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from gatewise.plots import fusion_front

    pairs = [(x, y) for y in range(len(found.goals)) for x in range(y)]
    wide, high = PANEL
    with rc_context(STYLE):
        figure = Figure(figsize=(wide * len(pairs), high), layout="constrained")
        for place, pair in enumerate(pairs, start=1):
            fusion_front(found, pair, ax=figure.add_subplot(1, len(pairs), place))
        kind = path.suffix.lower().removeprefix(".")
        # equal fronts give equal files
        undated: dict[str, Any] = {"metadata": {"Date": None}} if kind == "svg" else {}
        write_atomically(path, lambda temporary: figure.savefig(temporary, format=kind, dpi=150, **undated))


PICTURES = (".svg", ".png")
WRITERS: dict[str, Callable[[FusionFront, Path], None]] = {
    ".json": lambda found, path: write_json(path, found.to_dict()),
    ".csv": _write_csv,
    **dict.fromkeys(PICTURES, _write_picture),
}
