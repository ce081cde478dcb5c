"""Made-up users of an app: their last events, and what became of them in the week after.

python make_table.py
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 20_000
INTERESTS = np.array(["games", "reading", "shopping", "sport"])

draws = np.random.default_rng(0)
interest, energy, wealth = draws.integers(0, 4, ROWS), draws.normal(size=ROWS), draws.normal(size=ROWS)
events = draws.poisson(np.exp(1.5 + 0.5 * energy)).clip(1, 20)
# most events are of the user's own interest
own = [np.where(draws.random(n) < 0.5, who, draws.integers(0, 4, n)) for n, who in zip(events, interest, strict=True)]
pays = draws.random(ROWS) < 1 / (1 + np.exp(1.5 - wealth - 0.5 * energy))

device = (wealth + draws.normal(size=ROWS) > 0) * 1 + (draws.random(ROWS) < 0.2)

rows = {
    "device": np.array(["android", "ios", "web"])[device],
    "days_since_start": draws.integers(1, 700, ROWS),
    "sessions": events,
    "events": [[str(INTERESTS[each]) for each in kinds] for kinds in own],
    "minutes": [list(draws.exponential(np.exp(0.3 * e), n).round(1)) for e, n in zip(energy, events, strict=True)],
    "interest": INTERESTS[interest],
    "active_days": draws.binomial(7, 1 / (1 + np.exp(-energy))),
    "value": np.where(pays, np.exp(2 + wealth + 0.4 * draws.normal(size=ROWS)), 0).round(2),
}
pq.write_table(pa.table(rows), "users.parquet")
