"""Run contestants on the tables; what is done is kept in a folder and not done again.

python benchmarks/run_tables.py [--tables NAME ...] [--contestants NAME ...] [--seeds 3] [--folder runs/tables]
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

import gatewise as gw
from tables.collection import DIGESTS, HELD_OUT, TABLES
from tables.contestants import CONTESTANTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--contestants", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs/tables"))
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    gw.tune_process()
    for name in given.tables:
        table = parts = None
        for contestant in given.contestants:
            for seed in range(given.seeds):
                path = given.folder / name / f"{contestant}-{seed}.json"
                if path.exists():
                    continue
                if table is None:
                    table = TABLES[name]()
                    parts = table.parts()
                    if (digest := table.digest()) != DIGESTS[name]:
                        sys.exit(f"{name}: its rows or its split are other ones: digest {digest}")
                found = CONTESTANTS[contestant](table, parts, seed)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps({"digest": digest, **asdict(found)}))
                scores = " ".join(f"{output} {score:.4f}" for output, score in found.scores.items())
                held = " (held out)" if name in HELD_OUT else ""
                print(f"{name}{held} {contestant} {seed}: {scores} | {found.seconds:.1f} s {found.remark}", flush=True)


if __name__ == "__main__":
    main()
