"""A made-up week of a short-video feed: who saw which video when, and what they did.

python make_table.py
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, USERS, VIDEOS = 60_000, 1_500, 800
TOPICS = np.array(["cats", "cooking", "football", "music", "news", "travel"])

draws = np.random.default_rng(0)
user, video = draws.integers(0, USERS, ROWS), (VIDEOS * draws.random(ROWS) ** 2).astype(int)
topic, length = draws.integers(0, len(TOPICS), VIDEOS), draws.lognormal(3, 0.7, VIDEOS).clip(5, 300).round()
taste = draws.normal(size=(USERS, len(TOPICS)))[user, topic[video]]
quality, busy = draws.normal(size=VIDEOS)[video], draws.normal(size=USERS)[user]

click = draws.random(ROWS) < 1 / (1 + np.exp(1 - taste - 0.5 * quality))
like = click & (draws.random(ROWS) < 1 / (1 + np.exp(2.5 - taste - quality)))
follow = click & (draws.random(ROWS) < 1 / (1 + np.exp(4.5 - 1.5 * taste)))
seconds = np.exp(2.5 + 0.5 * taste + 0.3 * quality - 0.4 * busy + 0.6 * draws.normal(size=ROWS))

rows = {
    "time": np.sort(1_700_000_000 + draws.integers(0, 7 * 86_400, ROWS)),
    "user_id": user,
    "video_id": video,
    "author_id": video % 120,
    "topic": TOPICS[topic[video]],
    "length": length[video],
    "hour": draws.integers(0, 24, ROWS),
    "click": click.astype(int),
    "like": like.astype(int),
    "follow": follow.astype(int),
    # nobody watches longer than the video lasts, and nobody watches what was not clicked
    "watched": np.where(click, np.minimum(seconds, length[video]).round(1), np.nan),
}
pq.write_table(pa.table(rows), "feed.parquet")
