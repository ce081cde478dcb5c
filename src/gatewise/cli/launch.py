"""Several processes of one command on this machine, by torchrun."""

from __future__ import annotations

import os
import subprocess
import sys

import typer

from gatewise.errors import DeclarationError

OURS = ("--ranks", "--max-restarts")
"""Options that the processes do not get."""


def launch(ranks: int, restarts: int) -> int:
    """Run this command again in ``ranks`` processes that train together, and return their exit status.

    Raises:
        DeclarationError: a launcher has started this process already.
    """
    if "RANK" in os.environ:
        started = f"a launcher has started {os.environ.get('WORLD_SIZE', '?')} processes already"
        raise DeclarationError(f"--ranks: {started}; leave it out")
    threads = max(1, (os.cpu_count() or 1) // ranks)
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}
    arguments = _without(sys.argv[1:])
    for left in range(restarts, -1, -1):
        status, stopped = _run(ranks, arguments, environment)
        if status == 0 or stopped or not left:
            return status
        typer.echo(f"a process has died: all go on from the last checkpoint ({left} restarts left)", err=True)
        arguments = [argument for argument in arguments if argument not in ("--resume", "--overwrite")]
        arguments.append("--resume")
    raise AssertionError


def _run(ranks: int, arguments: list[str], environment: dict[str, str]) -> tuple[int, bool]:
    """Return the exit status of the processes, and whether somebody has interrupted them."""
    # torchrun's own restarts meet the addresses of the processes that died
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    process = subprocess.Popen([*command, "-m", "gatewise", *arguments], env=environment)
    stopped = False
    while True:
        try:
            return process.wait(), stopped
        except KeyboardInterrupt:
            # the terminal has told the processes, too: they end by themselves
            stopped = True


def _without(arguments: list[str]) -> list[str]:
    """Return the arguments of this command without those of the launch."""
    kept, skip = list[str](), False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if not skip and name not in OURS:
            kept.append(argument)
        skip = not skip and name in OURS and not equals
    return kept
