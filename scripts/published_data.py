"""Where the published files of a data set lie."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from gatewise.datasets import CENSUS_NUMERIC
from gatewise.declare import Recipe

DATA = Path(__file__).resolve().parent.parent / "data"


def as_published(recipe: Recipe, folder: Path) -> Recipe:
    """Return a recipe whose data lies in a folder, without the numbers that the nominal form of Census-Income lacks."""
    absent = CENSUS_NUMERIC if any(folder.glob("train_nominal*")) else ()
    return replace(recipe, features=[feature for feature in recipe.features if feature.name not in absent])


def published(given: Path | None, shared: str, own: str) -> Path:
    """Return a data set's folder: as given, ``shared`` in GATEWISE_DATA, or ``own``, where its recipe looks for it."""
    home = os.environ.get("GATEWISE_DATA")
    return given or (Path(home) / shared if home else DATA / own)
