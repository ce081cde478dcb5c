"""One HTML file that shows what a trained model is and does.

Three steps with plain data between them: :func:`collect` makes findings from an artefact and a table; :func:`page_of`
turns findings, :func:`comparison_page` a comparison, and :func:`look_page` a profile of a table, into sections of
tables and of figures drawn by :mod:`gatewise.plots`; :func:`render` writes the sections as a page that loads nothing,
in light and dark. Needs the extra ``report``.
"""

from gatewise.report.backtest import backtest_page
from gatewise.report.collect import collect
from gatewise.report.comparison import comparison_page
from gatewise.report.findings import Findings, Inside, OnTable
from gatewise.report.look_page import look_page
from gatewise.report.page import page_of
from gatewise.report.render import check_extra, render

__all__ = [
    "Findings",
    "Inside",
    "OnTable",
    "backtest_page",
    "check_extra",
    "collect",
    "comparison_page",
    "look_page",
    "page_of",
    "render",
]
