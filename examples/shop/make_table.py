"""A made-up shop: view, cart, purchase, and what a customer spends in the next month.

python make_table.py
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, USERS, ITEMS = 60_000, 2_000, 500

draws = np.random.default_rng(0)
user, item = draws.integers(0, USERS, ROWS), draws.integers(0, ITEMS, ROWS)
category, price = draws.integers(0, 12, ITEMS), draws.lognormal(3, 0.8, ITEMS).round(2)
wealth, loyal = draws.normal(size=USERS), draws.normal(size=USERS)
like = draws.normal(size=(USERS, 12))[user, category[item]]
dear = np.log(price[item]) - 3

cart = draws.random(ROWS) < 1 / (1 + np.exp(1.5 - like))
buy = cart & (draws.random(ROWS) < 1 / (1 + np.exp(0.5 - wealth[user] + dear)))
again = draws.random(ROWS) < 1 / (1 + np.exp(1 - loyal[user] - 0.5 * buy))

rows = {
    "time": np.sort(1_700_000_000 + draws.integers(0, 30 * 86_400, ROWS)),
    "user_id": user,
    "item_id": item,
    "category": category[item],
    "price": price[item],
    "visits": draws.poisson(np.exp(1 + 0.5 * loyal[user])),
    # what the user looked at before, newest last
    "seen": [list(draws.integers(0, 12, n)) for n in draws.integers(0, 6, ROWS)],
    "cart": cart.astype(int),
    "purchase": buy.astype(int),
    "month_value": np.where(again, np.exp(3 + 0.6 * wealth[user] + 0.5 * draws.normal(size=ROWS)), 0).round(2),
}
pq.write_table(pa.table(rows), "shop.parquet")
