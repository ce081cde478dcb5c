"""Print the figures of docs/datasets.md that describe the data as they are.

python scripts/dataset_figures.py [--kuairand FOLDER] [--census FOLDER]

Both folders hold the Parquet form of the files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from gatewise.datasets import census, kuairand
from gatewise.metrics import auc

BEIJING, HOUR, DAY = 8 * 3_600_000, 3_600_000, 86_400_000
REVEALING = ("detailed_household_and_family_stat", "detailed_household_summary", "tax_filer_status")


def show(what: str, value: float | str) -> None:
    """Print one figure."""
    print(f"{what}: {value if isinstance(value, (str, int)) else f'{value:.3f}'}")


def of_kuairand(folder: Path) -> None:
    """Print what is said of the standard log."""
    (path,) = folder.glob("log_standard*.parquet")
    log = pq.read_table(path)
    numbers = ("time_ms", "date", "hourmin", "duration_ms", "tab")
    column = {name: log[name].to_numpy().astype(np.int64) for name in numbers}
    keys = log.select(["user_id", "video_id", "time_ms"]).to_pandas()
    twice = keys.duplicated().to_numpy()
    show("rows", len(twice))
    show("rows that repeat user, video and instant", int(twice.sum()))
    show("of them in tab 6", int((twice & (column["tab"] == 6)).sum()))
    local = column["time_ms"] + BEIJING
    hours = local // HOUR
    days = (np.datetime64("1970-01-01") + (local // DAY).astype("timedelta64[D]")).astype(str)
    dates = np.char.replace(days, "-", "").astype(np.int64)
    logged = np.array([f"{date:08d}" for date in column["date"]])
    as_days = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in logged], dtype="datetime64[D]").astype(np.int64)
    logged_hours = as_days * 24 + column["hourmin"] // 100
    show("share logged in a later hour", float((logged_hours > hours).mean()))
    show("share logged in an earlier hour", float((logged_hours < hours).mean()))
    show("share of other dates", float((dates != column["date"]).mean()))
    show("share without a duration", float((column["duration_ms"] == 0).mean()))
    feed = kuairand(folder)
    show("rows that are left", feed.num_rows)
    play = feed["play_time"].to_numpy()
    show("median play time, seconds", float(np.median(play)))
    show("longest, minutes", float(play.max() / 60))
    train = feed.filter(pc.less(feed["date"], 20220503))
    _, rows = np.unique(train["user_id"].to_numpy(), return_counts=True)
    show("median training rows of a user", float(np.median(rows)))


def of_census(folder: Path) -> None:
    """Print how nearly single attributes reveal marital status, and how many rows are alike."""
    persons = census(folder)
    label = persons["never_married"].to_numpy().astype(float)
    first = np.random.default_rng(0).random(len(label)) < 0.5
    for name in REVEALING:
        values = persons[name].combine_chunks()
        codes = values.dictionary_encode() if not pa.types.is_dictionary(values.type) else values
        code = pc.fill_null(codes.indices, len(codes.dictionary)).to_numpy().astype(np.int64)
        count, ones = (np.bincount(code[first], weights, minlength=code.max() + 1) for weights in (None, label[first]))
        rates = (ones + label.mean()) / (count + 1)
        show(f"AUC of {name} alone", auc(torch.from_numpy(label[~first]), torch.from_numpy(rates[code[~first]])) or 0.0)
    others = ("income", "never_married", "college", "part", "instance_weight")
    attributes = persons.drop_columns([name for name in others if name in persons.column_names]).to_pandas()
    show("share of rows that repeat another's attributes", float(attributes.duplicated().mean()))


def main() -> None:
    """Print the figures of the data that are given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kuairand", type=Path)
    parser.add_argument("--census", type=Path)
    given = parser.parse_args()
    if given.kuairand:
        of_kuairand(given.kuairand)
    if given.census:
        of_census(given.census)


if __name__ == "__main__":
    main()
