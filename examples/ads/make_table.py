"""A made-up advertising log: impressions, clicks, purchases, money, and the place on the page.

python make_table.py
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, USERS, ADS = 80_000, 3_000, 400

draws = np.random.default_rng(0)
user, ad, slot = draws.integers(0, USERS, ROWS), draws.integers(0, ADS, ROWS), draws.integers(1, 6, ROWS)
segment, brand = draws.integers(0, 5, USERS), draws.integers(0, 30, ADS)
fit = draws.normal(size=(5, 30))[segment[user], brand[ad]]
appeal, price = draws.normal(size=ADS)[ad], draws.lognormal(3, 0.5, ADS)[ad].round(2)

# people see the first places more often: a bias of the place, not of the ad
click = draws.random(ROWS) < 1 / (1 + np.exp(1.2 + 0.5 * slot - fit - 0.5 * appeal))
buy = click & (draws.random(ROWS) < 1 / (1 + np.exp(2 - 1.2 * fit + 0.01 * price)))

rows = {
    "time": np.sort(1_700_000_000 + draws.integers(0, 14 * 86_400, ROWS)),
    "user_id": user,
    "segment": segment[user],
    "ad_id": ad,
    "brand": brand[ad],
    "price": price,
    "slot": slot,
    "cost": (0.05 + 0.3 * draws.random(ROWS)).round(3),
    "click": click.astype(int),
    "purchase": buy.astype(int),
    "revenue": np.where(buy, price * draws.lognormal(0, 0.4, ROWS), 0).round(2),
}
pq.write_table(pa.table(rows), "ads.parquet")
