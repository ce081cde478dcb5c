"""Reports of an artefact or a run, also those that a job writes at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gatewise.declare import Instant, Recipe
from gatewise.errors import ArtefactError, DeclarationError, GatewiseError
from gatewise.files import write_text
from gatewise.jobs.comparison import COMPARISON
from gatewise.jobs.train import RECIPE
from gatewise.loading import load
from gatewise.report import check_extra, comparison_page, render
from gatewise.serving import ARTEFACT, MANIFEST, find_artefact

REPORT, COMPARISON_REPORT = "report.html", "comparison.html"


def report_file(
    source: Path,
    target: Path,
    table: Any = None,
    by: Sequence[str] | None = None,
    time: str | None = None,
    now: Instant | None = None,
) -> None:
    """Write the report of an artefact, of a run, or of a comparison's run.

    Args:
        source: folder of an artefact or of a run.
        target: the file.
        table: rows with labels for the analysis.
        by: columns to slice by.
        time: a column of times, for labels and predictions by day; by default that of the run's recipe.
        now: the moment at which labels with a ``delay`` were read; None: the table's newest time.

    Raises:
        ArtefactError: the folder holds neither artefact nor comparison, or the file cannot be written.
        TableError: the table lacks a column.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    check_extra()
    artefact = find_artefact(source)
    if (source / COMPARISON).exists() and not (artefact / MANIFEST).exists():
        report_comparison(source, target)
        return
    recipe = recipe_of(artefact.parent)
    load(artefact).report(target, table, by, time=time, recipe=recipe, name=name_of(source), now=now)


def recipe_of(run_dir: Path) -> Recipe | None:
    """Return the recipe that a run was trained by; None if the folder holds none that this version reads."""
    # a report without the recipe is better than none
    with suppress(DeclarationError):
        return Recipe.read(run_dir / RECIPE)
    return None


def report_comparison(run_dir: Path, target: Path) -> None:
    """Write the report of the comparison in a folder.

    Raises:
        ArtefactError: the comparison is absent or damaged, or the file cannot be written.
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    path = run_dir / COMPARISON
    try:
        page = comparison_page(_read(path), name_of(run_dir))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ArtefactError(f"{str(path)!r} holds no comparison that this version wrote") from None
    write_text(target, render(page))


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(f"cannot read {str(path)!r}: {error.strerror}") from None
    return found


def name_of(folder: Path) -> str:
    """Return the name of a run or an artefact: that of its folder, or of its run's folder."""
    resolved = folder.resolve()
    return resolved.parent.name if resolved.name == ARTEFACT else resolved.name


def afterwards(write: Callable[[], object], target: Path) -> str:
    """Write a report after a job; return one line with its file, or with the reason why there is no report.

    The trained model is saved by then, so errors here must not look like a failure of the training.
    """
    try:
        check_extra()
        write()
    except GatewiseError as error:
        return f"no report: {str(error).splitlines()[0]}"
    except Exception as error:
        return f"no report: internal: {type(error).__name__}: {error}"
    return f"report:   {target}"
