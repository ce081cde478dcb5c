"""Made-up reviews, each judged under one aspect: is it praised, and how much.

python make_table.py
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 12_000
ASPECTS = np.array(["battery", "price", "screen"])
GOOD, BAD = np.array(["great", "love", "perfect", "happy"]), np.array(["poor", "broken", "sad", "worst"])
FILLER = np.array(["the", "is", "really", "and", "my", "phone", "with", "a", "very"])

draws = np.random.default_rng(0)
feeling = draws.normal(size=(ROWS, 3))
asked = draws.integers(0, 3, ROWS)


def sentence(row: int) -> str:
    """Return what a review says of all three aspects, in random order."""
    parts = []
    for aspect in draws.permutation(3):
        words = GOOD if feeling[row, aspect] > 0 else BAD
        parts += [*draws.choice(FILLER, 2), ASPECTS[aspect], draws.choice(words)]
    return " ".join(parts)


rows = {
    "review": [sentence(row) for row in range(ROWS)],
    "aspect": ASPECTS[asked],
    "praised": (feeling[np.arange(ROWS), asked] > 0).astype(int),
    "stars": np.clip(np.round(3 + 1.2 * feeling[np.arange(ROWS), asked]), 1, 5).astype(int),
}
pq.write_table(pa.table(rows), "texts.parquet")
