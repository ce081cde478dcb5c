"""Seconds and bytes that a vocabulary of millions of values takes: saved, loaded, and asked for values."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise import Binary, Categorical, Schema
from gatewise.data import VOCABULARIES, TableEncoder
from page import ROOT, machine
from reporting import digits, megabytes, say, table
from worker import Worker, peak_memory

COMMAND = "make bench PARTS=vocabularies"
PAGE = ROOT / "docs" / "performance.md"
ASKED = 1_000_000
ONE_BY_ONE = 1_000
VALUES = 10_000_000
QUICK = {"values": 50_000}
SCHEMA = Schema(features=[Categorical("id")], tasks=[Binary("label")])
STATISTICS = {"label": {"rate": 0.5}}
STEP = 137
"""Ids are multiples of a number: half of those that are asked for are not known."""


class Vocabularies:
    """A learnt vocabulary in a process of its own.

    Args:
        of: ``integers`` or ``strings``.
        values: how many.
    """

    def __init__(self, of: str, values: int) -> None:
        self.rng, self.of, self.values = np.random.default_rng(0), of, values
        learnt = self._made(self.rng.permutation(values) * STEP)
        counts = {"values": "integer" if of == "integers" else "string", "learnt": learnt}
        state = {"vocabularies": {"id": counts}, "features": {}, "labels": STATISTICS}
        self.encoder = TableEncoder.from_state(SCHEMA, state)

    def measure(self) -> dict[str, float]:
        """Return seconds and bytes of the Arrow file, and seconds of look-ups."""
        with tempfile.TemporaryDirectory() as folder:
            path, rest = Path(folder, VOCABULARIES), Path(folder, "encoder.json")
            save = seconds(lambda: self._save(path, rest))
            size = path.stat().st_size + rest.stat().st_size
            began = time.perf_counter()
            content = path.read_bytes()
            sha256(content).hexdigest()
            loaded = TableEncoder.from_saved(SCHEMA, json.loads(rest.read_text()), content)
            load = time.perf_counter() - began
        assert loaded.vocabularies["id"].values.equals(self.encoder.vocabularies["id"].values)
        tables = [self._made(self.rng.integers(0, 2 * self.values, ASKED) * STEP) for _ in range(2)]
        first, later = (seconds(lambda t=t: loaded.vocabularies["id"].rows_of(t)) for t in tables)
        one = loaded.columns["id"].lookup
        single = [[value] for value in tables[0][:ONE_BY_ONE].to_pylist()]
        alone = seconds(lambda: [one(value) for value in single]) / ONE_BY_ONE
        return {"save": save, "load": load, "size": size, "first": first, "later": later, "alone": alone}

    def measure_json(self) -> dict[str, float]:
        """Return seconds and bytes of JSON, as earlier versions had it."""
        began = time.perf_counter()
        text = json.dumps(self.encoder.state(), ensure_ascii=False)
        save = time.perf_counter() - began
        load = seconds(lambda: TableEncoder.from_state(SCHEMA, json.loads(text)))
        return {"save": save, "load": load, "size": len(text.encode())}

    def peak_memory(self) -> int:
        """Return this process's peak resident memory in bytes."""
        return peak_memory()

    def _save(self, path: Path, rest: Path) -> None:
        state, content = self.encoder.saved()
        rest.write_text(json.dumps(state))
        path.write_bytes(content)

    def _made(self, numbers: np.ndarray) -> pa.Array:
        ids = pa.array(numbers.astype(np.int64))
        if self.of == "integers":
            return ids
        texts = pc.binary_join_element_wise("user_", pc.cast(ids, pa.string()), "")
        return texts.cast(pa.large_string())


def seconds(work: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def lines(values: int) -> list[list[str]]:
    """Return one line per kind of values and of file."""
    found = []
    for kind in ("integers", "strings"):
        for form, method in (("Arrow", "measure"), ("JSON, until format 2", "measure_json")):
            say(f"vocabularies: {kind}, {form}")
            with Worker(f"vocabularies-{kind}-{method}", "vocabularies", "Vocabularies", of=kind, values=values) as one:
                cost, peak = one.call(method), one.call("peak_memory")
            asked = [f"{digits(cost[name])} s" for name in ("first", "later")] if "first" in cost else ["", ""]
            alone = [f"{digits(1e6 * cost['alone'])} us"] if "alone" in cost else [""]
            times = [f"{digits(cost[name])} s" for name in ("save", "load")]
            found.append([kind, form, *times, megabytes(cost["size"]), *asked, *alone, megabytes(peak)])
    return found


def section(values: int = VALUES) -> str:
    """Measure and return the section."""
    header = ["values", "file", "save", "load", "size", "first look-up", "later ones", "a single value", "peak memory"]
    return (
        f"## Large vocabularies\n\n`{COMMAND}`; {machine()}, pyarrow {pa.__version__}.\n\n"
        f"The encoder of one feature with {values:,} learnt values: saved, and loaded with its SHA-256 and every "
        f"check. A look-up asks for {ASKED:,} values, half of them known; the first one sorts the vocabulary. A single "
        "value is asked for as the HTTP service does. Each line has a process of its own, which holds the values "
        "twice, as saved and as loaded.\n\n" + table(header, lines(values))
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=VALUES)
    print(section(parser.parse_args().values))


if __name__ == "__main__":
    main()
