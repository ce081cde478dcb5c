"""Work in a process of its own: started, asked and ended by the parent.

A worker is an object in another process, whose methods the parent calls. Requests and answers are lines of JSON over
the process's standard input and output; what libraries print goes to a log file instead.

The child: python benchmarks/worker.py MODULE CLASS [JSON arguments]
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import os
import resource
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

RESULTS = Path(__file__).parent / "results"


class WorkerError(Exception):
    """What went wrong in a worker, in one line."""


class Worker:
    """An object of ``MODULE.CLASS`` in a new process.

    Args:
        name: names the log file.
        module: a module beside this one.
        kind: a class in it.
        **arguments: JSON values for its constructor.

    Raises:
        WorkerError: from every call, when the method raised or the process died.
    """

    def __init__(self, name: str, module: str, kind: str, **arguments: Any) -> None:
        logs = RESULTS / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{name.replace(', ', '-').replace(' ', '-')}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, module, kind, json.dumps(arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            self._receive()
        except WorkerError:
            self.close()
            raise

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method and return its answer."""
        self._send(method, arguments)
        return self._receive()["value"]

    def stream(self, method: str, **arguments: Any) -> Iterator[Any]:
        """Call a generator method and yield what it yields, as it comes."""
        self._send(method, arguments)
        while "end" not in (answer := self._receive()):
            yield answer["value"]

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _send(self, method: str, arguments: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([method, arguments]) + "\n")
            self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"its process died (exit code {self._process.wait()}, see {self.log})")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer


def peak_memory() -> int:
    """Return this process's peak resident memory in bytes.

    On Linux not from getrusage: its peak starts with that of the parent, which lives on across fork and exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def serve(module: str, kind: str, arguments: str) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    # from here on whatever is printed goes to the log
    os.dup2(2, 1)

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    try:
        target = getattr(importlib.import_module(module), kind)(**json.loads(arguments))
        answer(value=None)
        for line in sys.stdin:
            method, given = json.loads(line)
            value = getattr(target, method)(**given)
            if not inspect.isgenerator(value):
                answer(value=value)
                continue
            for part in value:
                answer(value=part)
            answer(end=True)
    except Exception as error:
        traceback.print_exc()
        first_line = (str(error).strip() or "no message").splitlines()[0]
        answer(error=f"{type(error).__name__}: {first_line}")


if __name__ == "__main__":
    serve(*sys.argv[1:])
