"""Names of runs that follow from the time."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

TIME = "%Y-%m-%dT%H-%M"


def new_run(folder: Path) -> Path:
    """Return a folder within ``folder``, named for the time in UTC, that is not there yet."""
    name = f"{datetime.datetime.now(datetime.UTC):{TIME}}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(folder / each for each in names if not (folder / each).exists())
