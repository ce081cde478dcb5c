"""What the name of a column says: words that name labels, ids, times and groups."""

from __future__ import annotations

import re

Words = tuple[str, ...]

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


LABELS = _set(
    "click clicked clk purchase purchased buy bought order ordered convert converted conversion like liked dislike "
    "disliked favorite favorited favourite fav share shared forward forwarded follow followed subscribe subscribed "
    "comment commented reply replied rating stars label target outcome dwell revenue gmv spend spent paid payment "
    "churn churned default defaulted fraud survived hate hated report reported skip skipped finish finished complete "
    "completed install installed download downloaded upvote cart atc booked booking refund refunded returned "
    "cancelled canceled bounce bounced response responded opened unsubscribed"
)
"""Words that name what happened, which is what one predicts."""
PHRASES: tuple[Words, ...] = (
    ("long", "view"),
    ("play", "time"),
    ("watch", "time"),
    ("view", "time"),
    ("dwell", "time"),
    ("stay", "time"),
    ("profile", "enter"),
    ("add", "to", "cart"),
    ("order", "amount"),
    ("pay", "amount"),
)
BESIDE_LABELS = _set(
    "is has did was the label target y flag bool ind indicator ms sec secs seconds s min minutes time duration amount "
    "amt value of to on in after at event profile"
)
"""Words that a label's name may hold beside the one that makes it a label."""
IDS = _set("id ids uid uuid guid key hash code idcode zip zipcode postcode")
ENTITIES = _set(
    "user item movie film video music song artist author creator ad advertiser campaign creative sku shop store seller "
    "merchant brand product goods query device city region country state province category cat cate type class tag "
    "channel tab tabs page slot position status kind genre language lang gender sex os browser platform model plan "
    "site level hour weekday dow month day season carrier race ethnicity religion party color colour "
    "precinct district zone flight plot species school room department job occupation industry marital currency"
)
"""Words of things that numbers stand for: 7 is not more than 6."""
CALENDAR = _set("hour weekday dow month day season week")
"""Words of parts of the calendar, of which there are few: the 3,000th day is a number."""
REQUESTS = _set("request req session query search impression imp page pv visit")
PERSONS = _set(
    "user uid member customer client person patient visitor account buyer passenger student player subscriber employee "
    "household idcode"
)
TIMES = _set("timestamp ts time datetime date dt day event logged created when")
NOT_OF_THE_EVENT = _set(
    "birth born dob signup sign register registered registration join joined expire expires expiry end until updated "
    "update modified last first previous prev next publish published release released upload uploaded open opened "
    "founded built account install"
)
"""Words of dates that are properties of a person or a thing, and do not say when the row came about."""
AMOUNTS = _set("num n nb count cnt number total avg mean rate ratio share sum max min std pct percent age")
"""Words of amounts: the number of users is no user."""
LENGTHS = _set("duration length len elapsed age spent stay dwell play watch since delay air")
WEIGHTS = (("weight",), ("sample", "weight"), ("weights",), ("instance", "weight"))
PARTS_OF_TABLES = frozenset({"train", "training", "valid", "validation", "val", "test", "dev"})


def words_of(name: str) -> Words:
    """Return the words of a column's name, in lower case.

    Example:
        >>> words_of("is_longView2"), words_of("userID")
        (('is', 'long', 'view', '2'), ('user', 'id'))
    """
    return tuple(part.lower() for part in _PARTS.findall(name))


def names_a_label(name: str) -> bool:
    """Whether a name says that something happened, and nothing else, such as a mean of earlier events.

    Example:
        >>> [names_a_label(name) for name in ("is_click", "click_rate", "play_time_ms", "last_purchase_days")]
        [True, False, True, False]
    """
    words = words_of(name)
    rest = [word for word in words if not word.isdigit()]
    found = len(rest) != len(words) and "label" in rest
    for phrase in PHRASES:
        for start in range(len(rest) - len(phrase) + 1):
            if tuple(rest[start : start + len(phrase)]) == phrase:
                found, rest = True, rest[:start] + rest[start + len(phrase) :]
                break
    found |= any(word in LABELS for word in rest)
    clean = len(rest) == len([word for word in rest if word in LABELS | BESIDE_LABELS])
    return found and clean


def names_a_duration(name: str) -> bool:
    """Whether a label's name is that of a time somebody spent, such as ``play_time_ms``."""
    said = set(words_of(name))
    return "dwell" in said or ("time" in said and bool(said & {"play", "watch", "view", "stay"}))


def names_an_id(name: str) -> bool:
    """Whether numbers under a name stand for things: ``user_id``, ``city``, ``hour``."""
    words = [word for word in words_of(name) if not word.isdigit()]
    last = words[-1:]
    return bool(last) and not set(words) & AMOUNTS and (last[0] in IDS or last[0] in ENTITIES)


def names_a_person(name: str) -> bool:
    """Whether a name is that of a person's id."""
    return _names_key(name, PERSONS) or words_of(name) == ("id",)


def names_a_request(name: str) -> bool:
    """Whether a name is that of the id of a request, a session or a search."""
    return _names_key(name, REQUESTS)


def _names_key(name: str, owners: frozenset[str]) -> bool:
    words = words_of(name)
    return any(word in owners for word in words) and (
        len(words) == 1 or words[-1] in IDS or (len(words) == 2 and words[-1] in {"no", "nr", "num", "number"})
    )


def time_score(name: str) -> int:
    """Return how much a name is that of the time of an event; below 0: of another time; 0: it does not say."""
    words = words_of(name)
    if any(word in NOT_OF_THE_EVENT for word in words):
        return -1
    if len(words) > 1 and words[0] in ("user", "item", "video", "movie"):
        return 0
    return 0 if set(words) & LENGTHS else sum(word in TIMES for word in words)
