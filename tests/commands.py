"""The command line, and programs, as processes of their own that start in no time.

A process that has imported everything and done nothing is forked for each of them, in the place of a new interpreter
that takes seconds to import PyTorch. All else is as when a person types it: a process group, signals, exit codes, a
working directory, an environment, nobody at a terminal.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context, reduction
from pathlib import Path
from typing import IO, Any

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["gatewise.cli", "gatewise.jobs", "gatewise.report", "gatewise.http", "torch.onnx", "onnxscript"]
)


class _End:
    """The writing end of a pipe, handed to a process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _taken, (reduction.DupFd(self.number),)


def _taken(handed: Any) -> int:
    return handed.detach()


class Command:
    """A command that runs, or a program; what it has of a :class:`subprocess.Popen` means the same.

    Attributes:
        stdout: what it prints, as it does.
        stderr: what it says on standard error, as it does.
    """

    def __init__(
        self,
        arguments: tuple[object, ...],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        program: Path | None = None,
    ) -> None:
        ends = [os.pipe() for _ in range(2)]
        given = program, [str(each) for each in arguments], cwd or Path.cwd(), dict(env or os.environ)
        self.process = _FORKS.Process(target=_main, args=(*given, *(_End(write) for _, write in ends)))
        self.process.start()
        for _, write in ends:
            os.close(write)
        self.stdout, self.stderr = (os.fdopen(read, encoding="utf-8") for read, _ in ends)

    def __del__(self) -> None:
        self.stdout.close()
        self.stderr.close()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        self.process.kill()

    def terminate(self) -> None:
        self.process.terminate()

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, once there is one."""
        self.process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(["gatewise"], timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return what is left of both streams, once it has ended."""
        with ThreadPoolExecutor(2) as readers:
            try:
                streams = [readers.submit(_rest, stream) for stream in (self.stdout, self.stderr)]
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return streams[0].result(), streams[1].result()


def _rest(stream: IO[str]) -> str:
    with stream:
        return stream.read()


def start(*arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Command:
    """Start ``gatewise ARGUMENTS``."""
    return Command(arguments, cwd, env)


def run(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Return what ``gatewise ARGUMENTS`` came to."""
    command = start(*arguments, cwd=cwd, env=env)
    stdout, stderr = command.communicate(timeout)
    return subprocess.CompletedProcess(["gatewise", *map(str, arguments)], command.wait(), stdout, stderr)


def _main(
    program: Path | None, arguments: list[str], cwd: Path, environment: dict[str, str], stdout: int, stderr: int
) -> None:
    """Be the command or the program, in a process that was forked."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, end in ((1, stdout), (2, stderr)):
        os.dup2(end, number)
        os.close(end)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", buffering=1) for number in (1, 2))
    sys.argv = [str(program or "gatewise"), *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if program is None:
        from gatewise.cli import main

        main()
    else:
        sys.path.insert(0, str(program.parent))
        runpy.run_path(str(program), run_name="__main__")
