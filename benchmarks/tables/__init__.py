"""An open collection of tables with several tasks each, on which defaults are chosen and judged.

Every table comes from a package of PyPI (or from ``--data``), none is in this repository. A table is one function in a
module here and one line in :mod:`tables.collection`, which also says in advance which tables no choice may look at.
"""
