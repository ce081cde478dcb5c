"""One HTML file that shows what a trained model is and does.

Three steps, each with plain data between: :func:`collect` finds out, from an artefact and a table;
:func:`page_of` makes sections of figures and tables of it, drawn by :mod:`gatewise.plots`, and :func:`comparison_page`
does so for a comparison; :func:`render` writes them as a page that loads nothing, in light and dark. Needs the extra
``report``.
"""

from gatewise.report.collect import collect
from gatewise.report.comparison import comparison_page
from gatewise.report.findings import Findings, OnTable
from gatewise.report.page import page_of
from gatewise.report.render import check_extra, render

__all__ = ["Findings", "OnTable", "check_extra", "collect", "comparison_page", "page_of", "render"]
