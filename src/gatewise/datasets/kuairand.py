"""KuaiRand: impressions of a short-video feed with many kinds of feedback, and their history features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.datasets.calendar import DAY, HOUR, Whole, date_numbers, hour_and_weekday
from gatewise.datasets.columns import cast_column, null_where, read_columns
from gatewise.datasets.files import Files
from gatewise.datasets.history import history_columns
from gatewise.datasets.lookup import look_up
from gatewise.errors import TableError, did_you_mean, shown

LABELS = {  # label: column of the log
    "click": "is_click",
    "long_view": "long_view",
    "like": "is_like",
    "follow": "is_follow",
    "comment": "is_comment",
    "forward": "is_forward",
    "hate": "is_hate",
    "profile_enter": "is_profile_enter",
}
NUMBERS = ("user_id", "video_id", "time_ms", "tab", "duration_ms", "play_time_ms")
LOG = dict.fromkeys((*NUMBERS, *LABELS.values()), pa.int64())
USERS = {
    "user_id": pa.int64(),
    "user_active_degree": pa.string(),
    "is_lowactive_period": pa.int64(),
    "is_live_streamer": pa.int64(),
    "is_video_author": pa.int64(),
    "follow_user_num": pa.int64(),
    "follow_user_num_range": pa.string(),
    "fans_user_num": pa.int64(),
    "fans_user_num_range": pa.string(),
    "friend_user_num": pa.int64(),
    "friend_user_num_range": pa.string(),
    "register_days": pa.int64(),
    "register_days_range": pa.string(),
    **{f"onehot_feat{code}": pa.int64() for code in range(18)},
}
VIDEOS = {
    "video_id": pa.int64(),
    "author_id": pa.int64(),
    "video_type": pa.string(),
    "upload_type": pa.string(),
    "upload_dt": pa.string(),
    "server_width": pa.int64(),
    "server_height": pa.int64(),
    "music_id": pa.int64(),
    "music_type": pa.int64(),
    "tag": pa.string(),
}
PERIODS = ("4_08_to_4_21", "4_22_to_5_08")  # periods of the two published logs, which belong together
BEIJING = 8 * HOUR


def kuairand(path: str | Path, random_policy: bool = False) -> pa.Table:
    """Return KuaiRand, one row per impression, in order of time.

    The data are Kuaishou's: C. Gao et al., "KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly
    Exposed Videos", CIKM 2022; CC BY-SA 4.0. Written for KuaiRand-Pure; the other sizes have the same layout.

    Left out on purpose: the video *statistic* features, which average over the weeks of the labels;
    ``visible_status``, the state of a video after the impression; the time that a user spent in a profile or in the
    comments.

    Properties of the files:

    - 3 % of the rows are written twice, nearly all of ``tab`` 6: per user, video and time the first row is kept.
    - ``hourmin`` (and ``date``) is the time of logging, up to hours after the impression; in a sixth of the rows the
      hour is later. Hour, weekday and date here are computed from ``time_ms``, in Beijing time.
    - A duration of 0 means a picture; -124, "UNKNOWN" and a music id of 0 mean unknown. All these values are null
      here.
    - In single-column tabs a click is computed from the play time, and likes and long views occur without clicks:
      the labels are not a funnel.
    - Features of users were recorded once, on an unknown day.

    Args:
        path: The folder or archive, with or without a folder ``data`` inside; CSV as published, or Parquet files
            of the same names.
        random_policy: Whether to include impressions of random videos (``log_random_*``).

    Returns:
        pa.Table: Sorted by time, then user and video, with the columns

            - ``user_id``, ``video_id``, ``author_id``: int64
            - ``tab``: int64, tab of the app; ``is_rand``: int64, 1 for a random video
            - ``date``: int64, such as 20220503; ``hour``: int64, 0 to 23; ``weekday``: int64, 0 (Monday) to 6
            - ``time_ms``: int64, milliseconds since 1970 UTC
            - ``duration``: float64, length of the video in seconds
            - ``video_type``, ``upload_type``: string; ``width``, ``height``, ``music_id``, ``music_type``: int64
            - ``video_age``: float64, days from the beginning of the day of upload, at least 0
            - ``tags``: list of int64
            - the user's features as published, from ``user_active_degree`` to ``onehot_feat17``
            - ``user_count``, ``video_count``, ``author_count``: int64, impressions at strictly earlier times
            - ``user_click_rate``, ``user_long_view_rate`` and so on: float64, share of these impressions with a click
              or a long view; null if there are none
            - ``click``, ``long_view``, ``like``, ``follow``, ``comment``, ``forward``, ``hate``, ``profile_enter``:
              int64, 0 or 1
            - ``play_time``: float64, seconds

            The features of a user or video that the source does not list are null.

    Raises:
        TableError: The path or a file is absent or damaged; a file lacks columns, or has an invalid number.

    Example:
        >>> feed = kuairand("KuaiRand-Pure")  # doctest: +SKIP
        >>> feed["click"].to_pylist()[:5]  # doctest: +SKIP
        [0, 1, 0, 0, 0]
    """
    files = Files(path, depth=3)
    log = _impressions(files, random_policy)
    videos, users = _videos(files), _users(files)
    columns = {name: log[name] for name in ("user_id", "video_id", "tab", "is_rand", "time_ms")}
    columns |= _of_table(look_up(log["video_id"], videos, "video_id"))
    columns |= _of_table(look_up(log["user_id"], users, "user_id"))
    columns |= _of_time(log, columns.pop("upload_day"))
    columns |= {label: log[name] for label, name in LABELS.items()}
    columns["play_time"] = _seconds(log["play_time_ms"])
    columns["duration"] = _seconds(_null_below(log["duration_ms"], 1))
    history = _of_history(columns)
    order = (
        *("user_id", "video_id", "author_id", "tab", "is_rand", "date", "hour", "weekday", "time_ms", "duration"),
        *("video_type", "upload_type", "width", "height", "music_id", "music_type", "video_age", "tags"),
        *(name for name in USERS if name != "user_id"),
        *history,
        *LABELS,
        "play_time",
    )
    columns |= history
    return pa.table({name: columns[name] for name in order})


def _impressions(files: Files, random_policy: bool) -> pa.Table:
    standard = _find(files, "log_standard")
    _check_both_periods(files, standard)
    logs = [(member, 0) for member in standard]
    if random_policy:
        logs += [(member, 1) for member in _find(files, "log_random")]
    tables = [_with_policy(read_columns(files, member, LOG), is_rand) for member, is_rand in logs]
    log = pa.concat_tables(tables)
    if not log.num_rows:
        raise TableError(f"{files.path}: no impressions in {shown(member.name for member, _ in logs)}")
    return _once_in_time(log)


def _with_policy(log: pa.Table, is_rand: int) -> pa.Table:
    return log.append_column("is_rand", pa.array(np.full(log.num_rows, is_rand)))


def _once_in_time(log: pa.Table) -> pa.Table:
    """Return the log sorted by time, user and video, with one row for each combination."""
    keys = [log[name].to_numpy() for name in ("video_id", "user_id", "time_ms")]
    order = np.lexsort(keys)
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)
    return log.take(order[first])


def _users(files: Files) -> pa.Table:
    users = read_columns(files, _find_one(files, "user_features"), USERS, nullable=True)
    return pa.table({name: _known(column) for name, column in _of_table(users).items()})


def _videos(files: Files) -> pa.Table:
    member = _find_one(files, "video_features_basic")
    where = f"{files.path}: {member.name}"
    videos = {name: _known(column) for name, column in _of_table(read_columns(files, member, VIDEOS, True)).items()}
    videos["music_id"] = _null_below(videos["music_id"], 1)
    videos |= {side: videos.pop(f"server_{side}") for side in ("width", "height")}
    videos["upload_day"] = cast_column(videos.pop("upload_dt"), "upload_dt", pa.date32(), where).cast(pa.int32())
    tags = pc.split_pattern(videos.pop("tag"), ",")
    videos["tags"] = cast_column(tags, "tag", pa.list_(pa.int64()), where)
    return pa.table(videos)


def _known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with null in place of "UNKNOWN", empty text and codes below 0."""
    return null_where(column, ["UNKNOWN", ""]) if pa.types.is_string(column.type) else _null_below(column, 0)


def _null_below(column: pa.ChunkedArray, lowest: int) -> pa.ChunkedArray:
    return pc.if_else(pc.less(column, lowest), pa.scalar(None, column.type), column)


def _seconds(milliseconds: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.divide(milliseconds.cast(pa.float64()), 1000.0)


def _of_table(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _of_time(log: pa.Table, upload_day: pa.ChunkedArray) -> dict[str, Any]:
    local: Whole = log["time_ms"].to_numpy() // 1000 + BEIJING
    age = local / DAY - upload_day.fill_null(0).to_numpy()
    unknown = upload_day.is_null().to_numpy()
    times = {"date": date_numbers(local), "video_age": pa.array(np.maximum(age, 0.0), mask=unknown)}
    return times | hour_and_weekday(local)


def _of_history(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the history of user, video and author before each impression."""
    time = columns["time_ms"].to_numpy()
    rates = {f"{label}_rate": columns[label].to_numpy() for label in ("click", "long_view")}
    history: dict[str, Any] = {}
    for who in ("user", "video", "author"):
        history |= history_columns(who, columns[f"{who}_id"], time, rates)
    return history


def _find(files: Files, start: str) -> list[PurePosixPath]:
    """Return the files whose names are ``start`` plus the name of the set, such as "_pure"."""
    tables = [member for member in files.members if member.suffix in (".csv", ".parquet")]
    found = [member for member in tables if member.name.startswith(start)]
    if not found:
        near = did_you_mean(f"{start}_pure.csv", [member.name for member in tables])
        raise TableError(f"{files.path}: no file {start}*.csv or {start}*.parquet{near}")
    return found


def _find_one(files: Files, start: str) -> PurePosixPath:
    found = _find(files, start)
    if len(found) > 1:
        raise TableError(f"{files.path}: expected one file {start}*, found {shown(map(str, found))}")
    return found[0]


def _check_both_periods(files: Files, logs: list[PurePosixPath]) -> None:
    """Refuse one published log without the other, since a history needs both; a log of other days may be alone."""
    names = [log.name for log in logs]
    for name in names:
        for period, other in (PERIODS, PERIODS[::-1]):
            twin = name.replace(period, other)
            if twin not in names:
                near = did_you_mean(twin, [found.name for found in files.members if found.name not in names])
                raise TableError(f"{files.path}: has {name} but no {twin}{near}")
