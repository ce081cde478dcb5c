"""Artefacts that somebody changed: raw bytes, or values and tensors with the manifest's sums made to agree.

    python scripts/torture/artefacts.py [mutations]

Prints one line: how many were refused in one line, how many were loaded, and what went wrong (0). A loaded one must
predict: probabilities between 0 and 1, finite numbers, one row for each.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import struct
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import gatewise as gw

FILES = ("schema.json", "encoder.json", "options.json", "calibration.json", "metrics.json")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 1.5, -0.0, 1e308, 10**9, 10**18, 2**63, -(2**64), 10**400, "", "a", "0", "\ud800",
    [], {}, [[]], {"a": 1}, [None], [1, 1], ["a", "a"], [3, 2, 1],
)  # fmt: skip
ROWS = {
    "user": [1, 2, None], "country": ["DE", "??", None], "price": [1.0, None, 1e30], "tags": [["a"], [], None],
    "vector": [[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]],
}  # fmt: skip


def make(folder: Path) -> Path:
    """Save a small ranker with every kind of state: calibrated, fused, with buckets, hashes and vectors."""
    rng, rows = np.random.default_rng(0), 200
    table = {
        "user": rng.integers(1, 9, rows).tolist(),
        "country": rng.choice(["DE", "FR", "US"], rows).tolist(),
        "price": rng.normal(10, 3, rows).tolist(),
        "tags": [[str(tag) for tag in rng.choice(list("abc"), rng.integers(0, 3))] for _ in range(rows)],
        "vector": rng.normal(size=(rows, 2)).tolist(),
        "click": rng.integers(0, 2, rows).tolist(),
        "stay": rng.normal(size=rows).tolist(),
        "device": rng.choice(["tv", "web"], rows).tolist(),
    }
    schema = gw.Schema(
        features=[
            gw.Categorical("user", dim=2),
            gw.Categorical("country", dim=2, hash_buckets=7),
            gw.Sequence("tags", dim=2),
            gw.Numeric("price", transform="quantile"),
            gw.Numeric("binned", column="price", embedding=gw.PiecewiseLinear(bins=3, dim=2)),
            gw.Vector("vector", size=2),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stay"), gw.Multiclass("device")],
    )
    ranker = gw.Ranker(
        schema, gw.MMoE(experts=2, expert_dims=[4], tower_dims=[2]), epochs=1, fusion="click + 0.1 * stay"
    )
    ranker.fit(table).calibrate(table)
    ranker.save(folder / "model")
    return folder / "model"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value within JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def changed(value: Any, draw: random.Random) -> Any:
    """Return JSON with one value replaced, removed, doubled, or added."""
    made = copy.deepcopy(value)
    path = draw.choice(places(made))
    if not path:
        return draw.choice(VALUES)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    how = draw.randrange(6)
    if how == 0:
        del holder[path[-1]]
    elif how == 1 and isinstance(holder, list):
        holder.insert(draw.randrange(len(holder) + 1), copy.deepcopy(holder[path[-1]]))
    elif how == 1:
        holder[draw.choice(["more", "", "name", "kind"])] = draw.choice(VALUES)
    elif how == 2:
        holder[path[-1]] = draw.choice([[holder[path[-1]]] * 3, {"a": holder[path[-1]]}])
    else:
        holder[path[-1]] = draw.choice(VALUES)
    return made


def deep(draw: random.Random) -> bytes:
    """Return JSON that is nested deeply."""
    depth = draw.choice([500, 5_000, 200_000])
    return b"[" * depth + b"]" * depth


def of_json(files: dict[str, bytes], draw: random.Random) -> str:
    """Change a JSON file and make the sums agree."""
    name = draw.choice(FILES)
    if draw.random() < 0.01:
        files[name] = deep(draw)
    else:
        text = json.dumps(changed(json.loads(files[name]), draw))
        if draw.random() < 0.05:
            text = text.replace("0.", draw.choice(["NaN", "Infinity", "1e999"]), 1)
        files[name] = text.encode()
    return resigned(files, name)


def of_tensors(files: dict[str, bytes], draw: random.Random) -> str:
    """Change header or numbers of the weights and make the sums agree."""
    name = "weights.safetensors"
    content = files[name]
    (size,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    how = draw.randrange(4)
    if how == 0:
        header = changed(header, draw)
    elif how == 1:
        at = draw.randrange(len(data) // 4) * 4
        data[at : at + 4] = struct.pack("<f", draw.choice([float("nan"), float("inf"), 1e38, -1e38, 0.0]))
    elif how == 2:
        data = data[: draw.randrange(len(data))]
    else:
        data += bytes(draw.randrange(1, 100))
    text = json.dumps(header).encode()
    files[name] = struct.pack("<Q", draw.choice([len(text)] * 9 + [2**60, 0])) + text + bytes(data)
    return resigned(files, name)


def of_values(files: dict[str, bytes], draw: random.Random) -> str:
    """Change bytes of the learnt values and make the sums agree."""
    name = "vocabularies.arrow"
    content = bytearray(files[name])
    at, how = draw.randrange(len(content)), draw.randrange(4)
    if how == 0:
        del content[at : at + draw.randrange(1, 100)]
    elif how == 1:
        content[at : at + 8] = struct.pack("<q", draw.choice([-1, 0, 1, 2**31, 2**40, 2**62]))
    else:
        content[at] ^= 1 << draw.randrange(8)
    files[name] = bytes(content)
    return resigned(files, name)


def of_bytes(files: dict[str, bytes], draw: random.Random) -> str:
    """Change any file, and no sum."""
    name = draw.choice(sorted(files))
    content = bytearray(files[name])
    at = draw.randrange(len(content))
    how = draw.randrange(3)
    if how == 0:
        content[at] ^= 1 << draw.randrange(8)
    elif how == 1:
        del content[at:]
    else:
        content[at : at + 20] = draw.randbytes(20)
    files[name] = bytes(content)
    return "bytes"


def resigned(files: dict[str, bytes], name: str) -> str:
    """Make the manifest agree with a file."""
    manifest = json.loads(files["manifest.json"])
    content = files[name]
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    files["manifest.json"] = json.dumps(manifest).encode()
    return name


def attempt(place: Path) -> str:
    """Load and predict; return what happened: refused, loaded, or what went wrong."""
    try:
        ranker = gw.load(place)
    except gw.GatewiseError as error:
        return "refused" if "\n" not in str(error) else f"more than a line: {str(error)[:200]!r}"
    except BaseException as error:
        return f"traceback on loading: {type(error).__name__}: {str(error)[:200]}"
    try:
        found = ranker.predict({name: ROWS.get(name, [None] * 3) for name in columns_of(ranker)})
    except gw.GatewiseError:
        # a column of another name or type: an answer in one line
        return "loaded"
    except BaseException as error:
        return f"traceback on predicting: {type(error).__name__}: {str(error)[:200]}"
    numbers = [number for column in found.columns for number in column.to_pylist()]
    return "loaded" if np.isfinite(numbers).all() else "loaded, and predicts what is not finite"


def columns_of(ranker: gw.Ranker) -> list[str]:
    """Return the columns that a ranker reads."""
    return [getattr(feature, "column", None) or feature.name for feature in ranker.schema.features]


def torture(mutations: int, seed: int = 0) -> tuple[Counter[str], float]:
    """Return how often each thing happened, and the most seconds that one attempt took."""
    draw, found, slowest = random.Random(seed), Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = make(Path(folder))
        good = {path.name: path.read_bytes() for path in place.iterdir()}
        kinds: list[Callable[[dict[str, bytes], random.Random], str]] = [
            of_json,
            of_json,
            of_json,
            of_tensors,
            of_values,
            of_bytes,
        ]
        for _ in range(mutations):
            files = dict(good)
            draw.choice(kinds)(files, draw)
            for name, content in files.items():
                (place / name).write_bytes(content)
            started = time.perf_counter()
            found[attempt(place)] += 1
            slowest = max(slowest, time.perf_counter() - started)
    return found, slowest


if __name__ == "__main__":
    mutations = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    happened, most = torture(mutations)
    wrong = {what: count for what, count in happened.items() if what not in ("refused", "loaded")}
    print(
        f"{mutations:,} mutations: {happened['refused']:,} refused in one line, {happened['loaded']:,} loaded, "
        f"{sum(wrong.values())} went wrong; slowest {most:.2f} s"
    )
    for what, count in sorted(wrong.items()):
        print(f"  {count} x {what}")
    sys.exit(bool(wrong))
