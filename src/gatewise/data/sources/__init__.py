"""Where rows come from: one class per kind of source, and :func:`source_of`, which finds the class for a value.

A source answers five questions, whatever it is: the names of its columns, its rows at once or in pieces, a digest that
changes with the data, and how much there is to read.
"""

from gatewise.data.sources.kinds import is_named, source_of
from gatewise.data.sources.listing import Place, is_local, place_of, reason
from gatewise.data.sources.parts import Parts
from gatewise.data.sources.queries import Query, sql
from gatewise.data.sources.source import Columns, Extent, Source

__all__ = [
    "Columns",
    "Extent",
    "Parts",
    "Place",
    "Query",
    "Source",
    "is_local",
    "is_named",
    "place_of",
    "reason",
    "source_of",
    "sql",
]
