from __future__ import annotations

import csv
import datetime
import io
import math
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from gatewise.datasets import kuairand, split_at
from gatewise.errors import TableError

FIRST, SECOND = "log_standard_4_08_to_4_21_pure.csv", "log_standard_4_22_to_5_08_pure.csv"
RANDOM = "log_random_4_22_to_5_08_pure.csv"
USERS, VIDEOS = "user_features_pure.csv", "video_features_basic_pure.csv"

# fmt: off
LOG_COLUMNS = [
    "user_id", "video_id", "date", "hourmin", "time_ms", "is_click", "is_like", "is_follow", "is_comment",
    "is_forward", "is_hate", "long_view", "play_time_ms", "duration_ms", "profile_stay_time",
    "comment_stay_time", "is_profile_enter", "is_rand", "tab",
]
USER_COLUMNS = [
    "user_id", "user_active_degree", "is_lowactive_period", "is_live_streamer", "is_video_author",
    "follow_user_num", "follow_user_num_range", "fans_user_num", "fans_user_num_range", "friend_user_num",
    "friend_user_num_range", "register_days", "register_days_range",
    *(f"onehot_feat{code}" for code in range(18)),
]
VIDEO_COLUMNS = [
    "video_id", "author_id", "video_type", "upload_dt", "upload_type", "visible_status", "video_duration",
    "server_width", "server_height", "music_id", "music_type", "tag",
]
# fmt: on

USER = dict.fromkeys(USER_COLUMNS, 1) | {
    "user_active_degree": "full_active",
    "follow_user_num_range": "(0,10]",
    "fans_user_num_range": "[1,10)",
    "friend_user_num_range": "0",
    "register_days_range": "730+",
    "onehot_feat4": "4.0",
}
VIDEO = {
    "author_id": 70,
    "video_type": "NORMAL",
    "upload_dt": "2022-04-09",
    "upload_type": "LongImport",
    "visible_status": "0.0",
    "video_duration": "9000.0",
    "server_width": "720.0",
    "server_height": "1280.0",
    "music_id": 9107419068,
    "music_type": "9.0",
    "tag": "20,43",
}
# 2022-04-30 16:30 UTC is half past midnight of 1 May, a Sunday, in Beijing
MAY_DAY = 1_651_336_200_000
SECOND_MS = 1000


def shown(user, video, time_ms, **signals):
    zeros = dict.fromkeys(LOG_COLUMNS, 0) | {"date": 20220501, "hourmin": 100, "duration_ms": 9000, "tab": 1}
    return zeros | {"user_id": user, "video_id": video, "time_ms": time_ms} | signals


def as_csv(rows, columns):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def published(log, users=(), videos=(), random=None, earlier=()):
    """Return the text of every published file, with all its columns."""
    files = {
        FIRST: as_csv(earlier, LOG_COLUMNS),
        SECOND: as_csv(log, LOG_COLUMNS),
        USERS: as_csv([USER | user for user in users], USER_COLUMNS),
        VIDEOS: as_csv([VIDEO | video for video in videos], VIDEO_COLUMNS),
        "video_features_statistic_pure.csv": "video_id,counts,show_cnt\n5,1,2.0\n",
    }
    return files if random is None else files | {RANDOM: as_csv(random, LOG_COLUMNS)}


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


SMALL = published(
    earlier=[shown(1, 5, MAY_DAY - 86_400_000, is_click=1)],
    log=[
        shown(2, 5, MAY_DAY + 3000, is_click=1, long_view=1, play_time_ms=8500, is_like=1, is_profile_enter=1),
        shown(1, 6, MAY_DAY, is_follow=1, is_comment=1, is_forward=1, is_hate=1, duration_ms=0, tab=4),
        shown(2, 8, MAY_DAY, is_click=1),
    ],
    users=[{"user_id": 1}, {"user_id": 3}],
    videos=[{"video_id": 5}, {"video_id": 6, "tag": "", "author_id": 71}],
)


def test_every_column_of_a_small_feed(tmp_path):
    feed = kuairand(write(tmp_path, SMALL))
    rows = feed.to_pylist()
    assert [(row["user_id"], row["video_id"]) for row in rows] == [(1, 5), (1, 6), (2, 8), (2, 5)]
    pictures, last = rows[1], rows[3]
    assert {name: last[name] for name in ("date", "hour", "weekday", "tab", "is_rand", "time_ms")} == {
        "date": 20220501,
        "hour": 0,
        "weekday": 6,
        "tab": 1,
        "is_rand": 0,
        "time_ms": MAY_DAY + 3000,
    }
    labels = ["click", "long_view", "like", "follow", "comment", "forward", "hate", "profile_enter"]
    assert [last[label] for label in labels] == [1, 1, 1, 0, 0, 0, 0, 1]
    assert [pictures[label] for label in labels] == [0, 0, 0, 1, 1, 1, 1, 0]
    assert (last["play_time"], last["duration"], pictures["play_time"], pictures["duration"]) == (8.5, 9.0, 0.0, None)
    of_video = ("author_id", "video_type", "upload_type", "width", "height", "music_id", "music_type", "tags")
    assert [last[name] for name in of_video] == [70, "NORMAL", "LongImport", 720, 1280, 9107419068, 9, [20, 43]]
    assert last["video_age"] == pytest.approx(22 + (30 * 60 + 3) / 86_400)
    assert (pictures["tags"], pictures["author_id"], pictures["tab"]) == (None, 71, 4)
    in_file = USER | {"onehot_feat4": 4}
    assert {name: pictures[name] for name in USER_COLUMNS} == in_file
    assert [last["user_count"], last["user_click_rate"], last["user_long_view_rate"]] == [1, 1.0, 0.0]
    assert [last["video_count"], last["video_click_rate"], last["author_count"]] == [1, 1.0, 1]
    expected = {*of_video, *USER_COLUMNS, *labels, "play_time", "duration", "video_id", "video_age", "is_rand", "tab"}
    expected |= {"date", "hour", "weekday", "time_ms"}
    expected |= {
        f"{who}_{what}" for who in ("user", "video", "author") for what in ("count", "click_rate", "long_view_rate")
    }
    assert set(feed.column_names) == expected


def test_types_are_those_of_the_parquet_form(tmp_path):
    from_csv = kuairand(write(tmp_path / "csv", SMALL))
    write(tmp_path / "parquet", {})
    for name in (SECOND, FIRST, USERS, VIDEOS):
        table = pyarrow.csv.read_csv(tmp_path / "csv" / name)
        pq.write_table(table, (tmp_path / "parquet" / name).with_suffix(".parquet"))
    from_parquet = kuairand(tmp_path / "parquet")
    assert from_csv.equals(from_parquet)
    assert from_csv.schema.field("tags").type == pa.list_(pa.int64())
    assert {str(kind) for kind in from_csv.schema.types} == {"int64", "double", "string", "list<item: int64>"}


def test_users_and_videos_that_are_not_listed_are_null(tmp_path):
    feed = kuairand(write(tmp_path, SMALL)).to_pylist()
    unknown = feed[2]  # user 2, video 8
    assert {unknown[name] for name in USER_COLUMNS if name != "user_id"} == {None}
    assert {unknown[name] for name in ("author_id", "video_type", "video_age", "width", "tags", "music_id")} == {None}
    assert [unknown[f"author_{what}"] for what in ("count", "click_rate", "long_view_rate")] == [None] * 3


def test_what_stands_for_unknown_is_null(tmp_path):
    user = {"user_id": 1, "user_active_degree": "UNKNOWN", "is_live_streamer": -124, "onehot_feat12": ""}
    video = {
        "video_id": 5,
        "video_type": "UNKNOWN",
        "upload_type": "UNKNOWN",
        "music_id": 0,
        "music_type": "",
        "tag": "",
    }
    [row] = kuairand(write(tmp_path, published([shown(1, 5, MAY_DAY)], [user], [video]))).to_pylist()
    assert [row[name] for name in user if name != "user_id"] == [None] * 3
    assert [row[name] for name in ("video_type", "upload_type", "music_id", "music_type", "tags")] == [None] * 5
    assert row["author_id"] == 70


def test_a_video_is_never_younger_than_a_day_of_upload(tmp_path):
    videos = [{"video_id": 5, "upload_dt": "2022-05-03"}]
    assert kuairand(write(tmp_path, published([shown(1, 5, MAY_DAY)], [], videos)))["video_age"].to_pylist() == [0.0]


def test_date_and_hour_are_those_of_the_impression_in_beijing(tmp_path):
    times = [MAY_DAY - 1_800_001, MAY_DAY - 1_800_000, 1_651_766_399_999, 1_645_977_600_000]
    log = [shown(1, video, time_ms, date=20220509, hourmin=2300) for video, time_ms in enumerate(times)]
    feed = kuairand(write(tmp_path, published(log)))
    zone = datetime.timezone(datetime.timedelta(hours=8))
    moments = [datetime.datetime.fromtimestamp(time_ms / 1000, zone) for time_ms in sorted(times)]
    assert feed["date"].to_pylist() == [int(moment.strftime("%Y%m%d")) for moment in moments]
    assert feed["hour"].to_pylist() == [moment.hour for moment in moments]
    assert feed["weekday"].to_pylist() == [moment.weekday() for moment in moments]


def test_rows_written_twice_are_one_impression(tmp_path):
    log = [
        shown(1, 5, MAY_DAY, is_click=1, hourmin=100),
        shown(1, 5, MAY_DAY, is_click=0, hourmin=200),
        shown(1, 6, MAY_DAY),
        shown(1, 5, MAY_DAY + 1),
    ]
    feed = kuairand(write(tmp_path, published(log)))
    assert feed.select(["video_id", "click", "user_count"]).to_pydict() == {
        "video_id": [5, 6, 5],
        "click": [1, 0, 0],
        "user_count": [0, 0, 2],
    }


def made_up(rows, seed):
    """Draw impressions that share users, videos, authors and instants."""
    rng = np.random.default_rng(seed)
    keys = {(int(u), int(v), int(t)) for u, v, t in rng.integers([0, 0, 0], [4, 6, 30], (rows, 3))}
    return [
        shown(u, v, MAY_DAY + t, is_click=int(rng.integers(2)), long_view=int(rng.integers(2)))
        for u, v, t in sorted(keys, key=lambda _: rng.random())
    ]


@pytest.mark.parametrize("seed", range(3))
def test_history_agrees_with_a_loop_that_looks_back_only(tmp_path, seed):
    log = made_up(150, seed)
    authors = {video: video % 3 for video in range(5)}  # video 5 is not listed
    videos = [{"video_id": video, "author_id": author} for video, author in authors.items()]
    half = len(log) // 2
    feed = kuairand(write(tmp_path, published(log[:half], [], videos, earlier=log[half:]))).to_pylist()
    assert len(feed) == len(log)
    groups = {
        "user": lambda row: row["user_id"],
        "video": lambda row: row["video_id"],
        "author": lambda row: authors.get(row["video_id"]),
    }
    for row in feed:
        for who, group in groups.items():
            past = [r for r in log if group(r) == group(row) and r["time_ms"] < row["time_ms"]]
            if group(row) is None:
                assert (who, row["video_id"]) == ("author", 5)
                assert row["author_count"] is row["author_click_rate"] is None
                continue
            assert row[f"{who}_count"] == len(past)
            for rate, signal in (("click_rate", "is_click"), ("long_view_rate", "long_view")):
                mean = sum(r[signal] for r in past) / len(past) if past else None
                assert row[f"{who}_{rate}"] == (mean if mean is None else pytest.approx(mean, abs=1e-12))


def test_an_impression_sees_neither_its_own_nor_later_feedback(tmp_path):
    log = made_up(150, seed=5)
    changed = [row | {"is_click": 1 - row["is_click"]} if row["time_ms"] >= MAY_DAY + 15 else row for row in log]
    before, after = (kuairand(write(tmp_path / str(i), published(rows))) for i, rows in enumerate((log, changed)))
    history = [name for name in before.column_names if name.endswith(("_count", "_rate"))]
    earlier = pc.less_equal(before["time_ms"], MAY_DAY + 15)
    assert before.select(history).filter(earlier).equals(after.select(history).filter(earlier))
    assert not before.select(history).equals(after.select(history))


def test_random_videos_come_when_asked_for(tmp_path):
    path = write(tmp_path, published([shown(1, 5, MAY_DAY + 1)], random=[shown(1, 6, MAY_DAY, is_click=1, is_rand=1)]))
    assert kuairand(path)["user_count"].to_pylist() == [0]
    both = kuairand(path, random_policy=True)
    assert both["is_rand"].to_pylist() == [1, 0]
    assert both["user_click_rate"].to_pylist() == [None, 1.0]
    (path / RANDOM).unlink()
    with pytest.raises(TableError, match=r"no file log_random\*\.csv or log_random\*\.parquet"):
        kuairand(path, random_policy=True)


def test_the_files_lie_where_the_archive_puts_them(tmp_path):
    expected = kuairand(write(tmp_path / "flat", SMALL))
    write(tmp_path / "down" / "KuaiRand-Pure" / "data", SMALL)
    assert kuairand(tmp_path / "down").equals(expected)
    assert kuairand(str(tmp_path / "down" / "KuaiRand-Pure")).equals(expected)
    with zipfile.ZipFile(tmp_path / "pure.zip", "w") as archive:
        for name, text in SMALL.items():
            archive.writestr(f"KuaiRand-Pure/data/{name}", text)
    assert kuairand(tmp_path / "pure.zip").equals(expected)


def test_the_other_sizes_have_the_same_layout(tmp_path):
    names = {name: name.replace("_pure", "_1k") for name in SMALL}
    parts = {names[name]: text for name, text in SMALL.items()}
    assert kuairand(write(tmp_path / "1k", parts)).num_rows == 4
    for log in (names[FIRST], names[SECOND]):
        text = parts.pop(log)
        head, *rows = text.splitlines(keepends=True)
        parts |= {
            log.replace("1k", "27k_part1"): head + "".join(rows[:1]),
            log.replace("1k", "27k_part2"): head + "".join(rows[1:]),
        }
    assert kuairand(write(tmp_path / "27k", parts)).num_rows == 4


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (FIRST, rf"has {SECOND} but no {FIRST}"),
        (SECOND, rf"has {FIRST} but no {SECOND}"),
        (USERS, r"no file user_features\*\.csv or user_features\*\.parquet"),
        (VIDEOS, r"no file video_features_basic\*\.csv or .*; did you mean 'video_features_statistic_pure.csv'\?"),
    ],
)
def test_a_file_that_is_missing(tmp_path, missing, message):
    with pytest.raises(TableError, match=message) as caught:
        kuairand(write(tmp_path, {name: text for name, text in SMALL.items() if name != missing}))
    assert "\n" not in str(caught.value)


def test_a_file_of_nearly_the_right_name(tmp_path):
    files = {name.replace("user_features", "users_feature"): text for name, text in SMALL.items()}
    with pytest.raises(TableError, match=r"no file user_features.*; did you mean 'users_feature_pure\.csv'\?"):
        kuairand(write(tmp_path, files))


def test_two_sets_in_one_folder(tmp_path):
    with pytest.raises(TableError, match=r"expected one file video_features_basic\*, found .*1k\.csv, .*pure\.csv"):
        kuairand(write(tmp_path, SMALL | {VIDEOS.replace("pure", "1k"): SMALL[VIDEOS]}))


READ = {
    SECOND: [
        name
        for name in LOG_COLUMNS
        if name not in ("date", "hourmin", "profile_stay_time", "comment_stay_time", "is_rand")
    ],
    USERS: USER_COLUMNS,
    VIDEOS: [name for name in VIDEO_COLUMNS if name not in ("visible_status", "video_duration")],
}


@pytest.mark.parametrize(("file", "column"), [(file, column) for file, columns in READ.items() for column in columns])
def test_a_column_that_is_missing(tmp_path, file, column):
    head, *rows = SMALL[file].splitlines(keepends=True)
    head = ",".join(f"{name}x" if name == column else name for name in head.strip().split(",")) + "\n"
    with pytest.raises(TableError, match=rf"{file}: no column '{column}', found .*; did you mean '.*'\?") as caught:
        kuairand(write(tmp_path, SMALL | {file: head + "".join(rows)}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (published([shown(1, 5, MAY_DAY, is_click="yes")]), rf"{SECOND}: .*'yes'"),
        (published([shown(1, 5, "")]), rf"{SECOND}: column 'time_ms': 1 values are missing"),
        (published([shown(1.5, 5, MAY_DAY)]), rf"{SECOND}: column 'user_id': expected int64: .*1.5"),
        (
            published([shown(1, 5, MAY_DAY)], videos=[{"video_id": 5, "upload_dt": "soon"}]),
            rf"{VIDEOS}: column 'upload_dt': .*soon",
        ),
        (published([shown(1, 5, MAY_DAY)], videos=[{"video_id": 5, "tag": "2,x"}]), rf"{VIDEOS}: column 'tag': .*'x'"),
        (SMALL | {SECOND: "user_id,video_id\n"}, rf"{SECOND}: no column 'time_ms'"),
        (SMALL | {USERS: ""}, rf"{USERS}: no column 'user_id'"),
        (published([]), "no impressions"),
    ],
)
def test_files_with_something_else_in_them(tmp_path, files, message):
    with pytest.raises(TableError, match=message) as caught:
        kuairand(write(tmp_path, files))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PAR1 no more"])
def test_a_parquet_file_that_is_none(tmp_path, content):
    write(tmp_path, {name: text for name, text in SMALL.items() if name != USERS})
    (tmp_path / "user_features.parquet").write_bytes(content)
    with pytest.raises(TableError, match=r"user_features\.parquet: expected a Parquet file"):
        kuairand(tmp_path)


@pytest.fixture(scope="module")
def real(shared_data):
    return kuairand(shared_data("kuairand_pure"))


def test_the_real_feed(real):
    assert real.num_rows == 180_022
    assert (np.diff(real["time_ms"].to_numpy()) >= 0).all()
    assert pc.min_max(real["date"]).as_py() == {"min": 20220424, "max": 20220505}
    rates = {name: round(pc.mean(real[name]).as_py(), 3) for name in ("click", "long_view", "like")}
    assert rates == {"click": 0.451, "long_view": 0.318, "like": 0.017}
    likes_without_click = pc.greater(real["like"], real["click"])
    assert pc.sum(likes_without_click).as_py() > 0
    assert real["duration"].null_count == 2793
    assert real["author_id"].null_count == real["user_active_degree"].null_count - 14 == 0


def test_the_real_feed_is_cut_at_its_dates(real):
    parts = split_at(real, "date", 20220503, 20220504)
    dates = [set(part["date"].to_pylist()) for part in parts]
    assert dates[1:] == [{20220503}, {20220504, 20220505}]
    assert max(dates[0]) == 20220502
    assert pc.max(parts[0]["time_ms"]).as_py() < pc.min(parts[1]["time_ms"]).as_py()


def test_a_sample_of_the_real_histories_agrees_with_a_loop(real):
    rows = real.select(["user_id", "video_id", "author_id", "time_ms", "click"]).to_pydict()
    table = {name: np.array(values) for name, values in rows.items()}
    for at in np.random.default_rng(0).integers(0, real.num_rows, 20):
        for who in ("user", "video", "author"):
            past = (table[f"{who}_id"] == table[f"{who}_id"][at]) & (table["time_ms"] < table["time_ms"][at])
            assert real[f"{who}_count"][int(at)].as_py() == past.sum()
            rate = real[f"{who}_click_rate"][int(at)].as_py()
            expected = table["click"][past].mean() if past.any() else math.nan
            np.testing.assert_allclose(math.nan if rate is None else rate, expected)
