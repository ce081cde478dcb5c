"""The sections of a report, one per file: findings in, a section out, or None if there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable

from gatewise.report.blocks import Section
from gatewise.report.findings import Findings
from gatewise.report.sections.again import again
from gatewise.report.sections.calibration import calibration
from gatewise.report.sections.conflict import conflict
from gatewise.report.sections.curves import curves
from gatewise.report.sections.data import data
from gatewise.report.sections.experts import experts
from gatewise.report.sections.features import features
from gatewise.report.sections.gates import gates
from gatewise.report.sections.learning import learning
from gatewise.report.sections.metrics import metrics
from gatewise.report.sections.problems import problems
from gatewise.report.sections.slices import slices
from gatewise.report.sections.trained import trained

SECTIONS: tuple[Callable[[Findings], Section | None], ...] = (
    problems,
    metrics,
    data,
    learning,
    gates,
    experts,
    features,
    slices,
    calibration,
    curves,
    conflict,
    trained,
    again,
)
"""In the order of the page: first the sections that a reader acts on."""

__all__ = ["SECTIONS"]
