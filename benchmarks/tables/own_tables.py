"""Tables that Gatewise has readers for: MovieLens of a package, Census-Income and KuaiRand where their files lie."""

from __future__ import annotations

import os
from pathlib import Path

from gatewise import Binary, Regression
from gatewise.datasets import CENSUS_NOMINAL, census, kuairand, movielens
from tables.table import BenchmarkTable, made, some_of

CENSUS, KUAIRAND = "census_kdd", "kuairand_pure"


def home() -> Path:
    """Return the folder of files that no package brings: GATEWISE_DATA, or the one beside the repository."""
    return Path(os.environ.get("GATEWISE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def ratings() -> BenchmarkTable:
    """Ratings of MovieLens with what users and films had before: liked, disliked and the stars."""
    f = some_of(movielens().to_pandas())
    f = f.assign(disliked=(f.rating <= 2) * 1.0)
    return made(
        f,
        [Binary("liked"), Binary("disliked"), Regression("rating")],
        categories=["user_id", "movie_id", "hour", "weekday"],
        numbers=["year", "movie_age", "user_count", "user_mean", "movie_count", "movie_mean"],
        lists=["genres"],
        time="timestamp",
    )


def persons() -> BenchmarkTable:
    """Census-Income, all attributes by name: income, degree and marriage."""
    f = some_of(census(home() / CENSUS).to_pandas())
    tasks = [Binary("income"), Binary("college"), Binary("never_married")]
    return made(f, tasks, categories=CENSUS_NOMINAL)


def feed() -> BenchmarkTable:
    """Impressions of KuaiRand: clicks, long views, two rare kinds of feedback and the play time; without ids."""
    f = some_of(kuairand(home() / KUAIRAND).to_pandas())
    f = f.assign(tags=f.tags.map(lambda tags: None if tags is None else "|".join(str(int(tag)) for tag in tags)))
    seen = [
        f"{who}_{what}" for who in ("user", "video", "author") for what in ("count", "click_rate", "long_view_rate")
    ]
    categories = ["tab", "hour", "weekday", "video_type", "upload_type", "music_type", "user_active_degree"]
    categories += ["is_live_streamer", "is_video_author", *(f"onehot_feat{i}" for i in range(18))]
    numbers = ["duration", "video_age", "width", "height", "follow_user_num", "fans_user_num", "friend_user_num"]
    return made(
        f,
        [Binary("click"), Binary("long_view"), Binary("like"), Binary("comment"), Regression("play_time")],
        categories=categories,
        numbers=[*numbers, "register_days", *seen],
        lists=["tags"],
        time="time_ms",
    )
