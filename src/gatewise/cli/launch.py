"""Several processes of one command on this machine, which train together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from gatewise.cli.statuses import INTERNAL_ERROR, LOST
from gatewise.errors import DeclarationError

PARENT = "GATEWISE_LAUNCHER"
"""Variable with the number of the pipe that is closed when the launcher ends."""
OURS = ("--ranks", "--max-restarts")
"""Options that the processes do not get."""
POLL = 0.05
"""Seconds between two looks at the processes."""
GRACE, GRACE_OF_OTHERS = 60.0, 5.0
"""Seconds in which rank 0 has to end after another process has failed, and others after rank 0 has ended."""
LINES = 20
"""How many of its last lines are shown of a process, other than rank 0, that failed."""


def launch(ranks: int, restarts: int = 0, run_dir: Path | None = None) -> int:
    """Run this command again in ``ranks`` processes that train together, and return the exit status of the training.

    What torchrun sets is set: ``RANK``, ``LOCAL_RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT``. Rank 0
    has the terminal. On Ctrl-C it ends as the process of an ordinary training does; SIGTERM is given to all processes.

    Args:
        ranks: processes to start.
        restarts: how often a process may die, by a signal or an error of the program, and all go on from the last
            checkpoint.
        run_dir: the folder of the run, chosen once for all processes; None: the command says it.

    All of them write into ``run_dir``, also after a restart.

    Raises:
        DeclarationError: a launcher has started this process already.
    """
    if "RANK" in os.environ:
        started = f"a launcher has started {os.environ.get('WORLD_SIZE', '?')} processes already"
        raise DeclarationError(f"--ranks: {started}; leave it out")
    arguments = of_process(sys.argv[1:], run_dir)
    while True:
        with tempfile.TemporaryDirectory(prefix="gatewise-ranks-") as folder:
            together = _Together(ranks, arguments, Path(folder))
            together.wait()
            if line := together.in_words():
                typer.echo(line, err=True)
        if not restarts or not together.died:
            return together.status
        restarts -= 1
        typer.echo(f"all processes go on from the last checkpoint; {restarts} restarts are left", err=True)
        arguments = as_resumed(arguments)


def end_with_launcher() -> int:
    """End this process when the launcher that started it has gone, however it ended; returns how many it started."""
    if (pipe := os.environ.pop(PARENT, None)) is None:
        return 1
    threading.Thread(target=_wait_for_the_end, args=(int(pipe),), daemon=True).start()
    return int(os.environ["WORLD_SIZE"])


def _wait_for_the_end(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(LOST)


class _Together:
    """The processes of one training; what all but rank 0 say goes into ``folder``."""

    def __init__(self, ranks: int, arguments: Sequence[str], folder: Path) -> None:
        self.folder, self.interrupted = folder, False
        threads = str(max(1, (os.cpu_count() or 1) // ranks))
        self.environment = {"OMP_NUM_THREADS": threads, **os.environ, "WORLD_SIZE": str(ranks)}
        self.environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
        # the processes end when the pipe is closed, however this process ends
        read, self._alive = os.pipe()
        self.processes = [self._start(rank, arguments, read) for rank in range(ranks)]
        os.close(read)

    def _start(self, rank: int, arguments: Sequence[str], alive: int) -> subprocess.Popen[bytes]:
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank), PARENT: str(alive)}
        # as the command itself, it imports nothing from the working directory
        command = [sys.executable, "-P", "-m", "gatewise", *arguments]
        how: dict[str, Any] = {"env": self.environment | own, "pass_fds": [alive], "start_new_session": True}
        if rank == 0:
            return subprocess.Popen(command, **how)
        with self._said(rank).open("wb") as said:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, **how)

    def _said(self, rank: int) -> Path:
        return self.folder / str(rank)

    def wait(self) -> None:
        """Wait until all processes have ended; end those that do not after one has failed, or rank 0 has ended."""
        failed = 0.0
        while None in (statuses := [process.poll() for process in self.processes]):
            if statuses[0] is not None or any(statuses):
                failed = failed or time.monotonic()
                if time.monotonic() > failed + (GRACE if statuses[0] is None else GRACE_OF_OTHERS):
                    break
            try:
                time.sleep(POLL)
            except KeyboardInterrupt as stopped:
                self._interrupt(stopped)
        self.statuses = [LOST if status is None else status for status in statuses]
        for process in self.processes:
            process.kill()
            process.wait()
        os.close(self._alive)

    def _interrupt(self, stopped: KeyboardInterrupt) -> None:
        """Give Ctrl-C to rank 0, for which its peers wait until it has ended; SIGTERM to all."""
        self.interrupted = True
        # on SIGTERM the command line raises a kind of its own
        if type(stopped) is KeyboardInterrupt:
            self.processes[0].send_signal(signal.SIGINT)
        else:
            for process in self.processes:
                process.terminate()

    @property
    def cause(self) -> int:
        """The rank whose failure was the first: one that died comes before one that lost another."""
        ranks = range(len(self.statuses))
        return min(ranks, key=lambda rank: (_place(self.statuses[rank]), rank))

    @property
    def died(self) -> bool:
        """Whether a process died, so that it may do better another time."""
        return not self.interrupted and self.status != 0 and _place(self.statuses[self.cause]) < OWN_ERROR

    @property
    def status(self) -> int:
        """The exit status of the training: that of rank 0, which writes everything, unless another one failed first."""
        status = self.statuses[0]
        if status and not self.interrupted:
            status = self.statuses[self.cause]
        return 128 - status if status < 0 else status

    def in_words(self) -> str:
        """Return what rank 0 cannot say: which process died, and what another one said before it failed."""
        status = self.statuses[rank := self.cause]
        if self.status == 0 or self.interrupted or (rank == 0 and status > 0):
            return ""
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        said = [] if rank == 0 else self._said(rank).read_text(errors="replace").splitlines()[-LINES:]
        return "\n".join([f"process {rank} of {len(self.statuses)} {how}", *(f"  {line}" for line in said)])


DIED, OWN_ERROR, OTHERS, WELL = range(4)


def _place(status: int) -> int:
    """Return how likely a process with this status is the one that ended the training; smaller is likelier."""
    if status < 0 or status == INTERNAL_ERROR:
        return DIED
    return {LOST: OTHERS, 0: WELL}.get(status, OWN_ERROR)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def of_process(arguments: Sequence[str], run_dir: Path | None) -> list[str]:
    """Return the arguments of one of several processes, all of which write into ``run_dir``."""
    # a name that follows from the time is chosen once
    kept = [each for each in _without(arguments) if each != "--new"]
    return kept if run_dir is None else [*kept, "--output", str(run_dir)]


def as_resumed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that go on with what others have begun."""
    return [*(each for each in arguments if each not in ("--resume", "--overwrite")), "--resume"]


def _without(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of this command without those of the launch."""
    kept, skip = list[str](), False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if not skip and name not in OURS:
            kept.append(argument)
        skip = not skip and name in OURS and not equals
    return kept
