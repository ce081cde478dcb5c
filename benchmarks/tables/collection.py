"""The tables by name, and which of them no choice may look at."""

from __future__ import annotations

from collections.abc import Callable

from tables import own_tables, r_tables
from tables.table import BenchmarkTable

TABLES: dict[str, Callable[[], BenchmarkTable]] = {
    made.__name__: made
    for made in (
        r_tables.schools,
        r_tables.employees,
        r_tables.answers,
        r_tables.houses,
        r_tables.patients,
        r_tables.pupils,
        r_tables.hotel,
        r_tables.storms,
        r_tables.birds,
        r_tables.doctors,
        r_tables.insurance,
        r_tables.crashes,
        r_tables.wages,
        r_tables.rodents,
        r_tables.stops,
        r_tables.diamonds,
        r_tables.movies,
        r_tables.votes,
        r_tables.abortion,
        r_tables.fertility,
        r_tables.flights,
        own_tables.ratings,
        own_tables.persons,
        own_tables.feed,
    )
}
HELD_OUT = (
    "schools",
    "houses",
    "pupils",
    "storms",
    "doctors",
    "wages",
    "stops",
    "movies",
    "votes",
    "fertility",
    "persons",
)
"""Tables that judge the defaults; no default was chosen by them."""
SMALL = ("schools", "employees", "answers", "houses", "patients")
"""Tables of at most 5,000 rows, on which RealMLP and TabM take part: on larger ones a CPU run takes too long."""
SLOW = ("hotel", "wages", "stops", "diamonds", "movies", "votes", "abortion", "persons", "feed")
"""Tables on which the default learns for more than 40 CPU seconds: left out of the ablations."""
DIGESTS = {
    "schools": "6f37a77cc348fb7b",
    "employees": "987c02a29b17fcdd",
    "answers": "dc91bf7897507f22",
    "houses": "da1b19f9fbd4696f",
    "patients": "bc1939b0d100bf30",
    "pupils": "d3c4372ef3eb50ee",
    "hotel": "eb0dd73730b11fd5",
    "storms": "083eaa5210b50bdf",
    "birds": "6cbc8ab4a1d7b408",
    "doctors": "18a728215fe19a18",
    "insurance": "689ebb6536dfdcc0",
    "crashes": "f94d6746c61ca581",
    "wages": "1c2a0fcf5c623ad0",
    "rodents": "51b1c74b79ea8ec6",
    "stops": "2664547ff2174d26",
    "diamonds": "9417c519ffb82ae5",
    "movies": "49e05ccd8ce5f45a",
    "votes": "4c7179ca2b3bef8c",
    "abortion": "f211e6d4d97a9fbe",
    "fertility": "10e2f6570531a35a",
    "flights": "e78d48f4afa48865",
    "ratings": "eb52eced48b1c920",
    "persons": "56e72d62668af96e",
    "feed": "e43a5932aeba35fb",
}
"""Hashes of the parts of each table, so that a result is never of other rows."""

FILES = {"persons": own_tables.CENSUS, "feed": own_tables.KUAIRAND}
"""Folders of tables that no package brings."""


def absent(name: str) -> str:
    """Return why a table cannot be made here, in words; empty: it can."""
    if name not in FILES:
        return ""
    folder = own_tables.home() / FILES[name]
    return "" if folder.is_dir() else f"no folder {folder}; --data or GATEWISE_DATA says where it lies"
