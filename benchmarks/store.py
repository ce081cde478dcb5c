"""Results that took long, kept as JSON lines so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from worker import RESULTS


class Store:
    """Results by what they are the result of.

    Args:
        name: of the file in ``benchmarks/results``, which git ignores.
    """

    def __init__(self, name: str) -> None:
        self.path: Path = RESULTS / f"{name}.jsonl"
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self._found = {_key(entry["of"]): entry["result"] for entry in map(json.loads, lines)}

    def get(self, of: dict[str, Any]) -> dict[str, Any] | None:
        """Return the result, or None where there is none yet."""
        return self._found.get(_key(of))

    def add(self, of: dict[str, Any], result: dict[str, Any]) -> None:
        """Keep a result, at once."""
        self._found[_key(of)] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps({"of": of, "result": result}) + "\n")


def _key(of: dict[str, Any]) -> str:
    return json.dumps(of, sort_keys=True)
