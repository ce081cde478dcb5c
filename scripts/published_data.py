"""Where the published files of a data set lie."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


def published(given: Path | None, shared: str, own: str) -> Path:
    """Return a data set's folder: as given, ``shared`` in GATEWISE_DATA, or ``own``, where its recipe looks for it."""
    home = os.environ.get("GATEWISE_DATA")
    return given or (Path(home) / shared if home else DATA / own)
