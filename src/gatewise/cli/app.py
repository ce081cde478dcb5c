"""The ``gatewise`` command: its sub-commands, and the errors that users see."""

from __future__ import annotations

import functools
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from gatewise.cli.backtest import backtest
from gatewise.cli.cache import cache
from gatewise.cli.compare import compare
from gatewise.cli.compare_runs import compare_runs
from gatewise.cli.convert import convert
from gatewise.cli.demo import demo
from gatewise.cli.doctor import doctor
from gatewise.cli.evaluate import evaluate
from gatewise.cli.explain import explain
from gatewise.cli.export import export
from gatewise.cli.fuse import fuse
from gatewise.cli.hints import hint
from gatewise.cli.init import init
from gatewise.cli.look import look
from gatewise.cli.predict import predict
from gatewise.cli.promote import promote
from gatewise.cli.report import report
from gatewise.cli.runs import runs
from gatewise.cli.schema import schema
from gatewise.cli.serve import serve
from gatewise.cli.statuses import INTERNAL_ERROR, INTERRUPTED, LOST, TERMINATED, USAGE_ERROR, USER_ERROR
from gatewise.cli.train import train
from gatewise.cli.tune import tune
from gatewise.cli.update import update
from gatewise.errors import GatewiseError, GatewiseWarning, LostProcessError
from gatewise.machine import wait_briefly
from gatewise.own_modules import import_modules
from gatewise.version import __version__

LOGGER = logging.getLogger("gatewise")
QUIET = "GATEWISE_QUIET"
"""Variable that is set where no progress is shown, which child processes read too."""

app = typer.Typer(
    name="gatewise",
    help="Multi-task ranking with multi-gate mixture-of-experts (MMoE).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Termination(KeyboardInterrupt):
    """SIGTERM as an exception, as schedulers send it: a command keeps what it keeps on Ctrl-C."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Raise :class:`Termination` on SIGTERM, in the main thread, which alone receives signals."""

    def terminate(*_: Any) -> None:
        raise Termination

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Confirm Ctrl-C in one line, for commands without a message of their own."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except KeyboardInterrupt as stopped:
            terminated = isinstance(stopped, Termination)
            typer.echo("terminated" if terminated else "interrupted", err=True)
            raise typer.Exit(TERMINATED if terminated else INTERRUPTED) from None

    return run


for command in (
    demo,
    look,
    init,
    train,
    update,
    backtest,
    tune,
    compare,
    runs,
    compare_runs,
    evaluate,
    predict,
    explain,
    report,
    fuse,
    export,
    promote,
    serve,
    convert,
    schema,
    doctor,
):
    app.command()(_interruptible(command))
app.add_typer(cache)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gatewise {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,  # noqa: ARG001
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback for every error.")] = False,  # noqa: ARG001
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress, neither bars nor lines.")] = False,
    modules: Annotated[
        list[str] | None,
        typer.Option("--import", metavar="MODULE", help="Import a module that registers kinds of your own."),
    ] = None,
) -> None:
    """Multi-task ranking with multi-gate mixture-of-experts (MMoE)."""
    if quiet:
        os.environ[QUIET] = "1"
    elif os.environ.get(QUIET) != "1" and not sys.stderr.isatty():
        _log_progress()
    import_modules(modules or [])


def _log_progress() -> None:
    """Write a line per epoch to standard error, with its time: a log has no bars."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    LOGGER.handlers, LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)


@contextmanager
def _own_log() -> Iterator[None]:
    """Leave the logger of the process, and what it shows, as they were, for programs that call the command line."""
    before, quiet = (LOGGER.handlers, LOGGER.propagate, LOGGER.level), os.environ.get(QUIET)
    try:
        yield
    finally:
        LOGGER.handlers, LOGGER.propagate = before[:2]
        LOGGER.setLevel(before[2])
        os.environ.pop(QUIET, None)
        if quiet is not None:
            os.environ[QUIET] = quiet


def main() -> None:
    """Run the command line; an error is one line, unless ``--debug`` is given."""
    try:
        run()
    except SystemExit as stopped:
        if "RANK" in os.environ and isinstance(stopped.code, int):
            from gatewise.distributed import end_process

            end_process(stopped.code)
        raise


def run() -> None:
    """Run the command line, and end with its exit status.

    Raises:
        SystemExit: always, unless ``--debug`` shows an error.
    """
    # OpenMP reads the setting when torch is imported
    wait_briefly()
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        with warnings.catch_warnings(), _terminable(), _own_log():
            warnings.showwarning = _show_warning
            app(args=[argument for argument in arguments if argument != "--debug"], prog_name="gatewise")
    except SystemExit as stopped:
        if stopped.code == USAGE_ERROR and (said := hint(arguments)):
            typer.echo(said, err=True)
        raise
    except GatewiseError as error:
        if debug:
            raise
        for line in str(error).splitlines():
            typer.echo(f"error: {line}", err=True)
        sys.exit(LOST if isinstance(error, LostProcessError) else USER_ERROR)
    except BrokenPipeError:
        # the reader of a pipe has gone: nothing more may be written, also when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(USER_ERROR)
    except OSError as error:
        if debug:
            raise
        where = "" if error.filename is None else f"{str(error.filename)!r}: "
        typer.echo(f"error: {where}{error.strerror or error}", err=True)
        sys.exit(USER_ERROR)
    except Exception as error:
        if debug:
            raise
        typer.echo(f"error: internal: {type(error).__name__}: {error} (--debug shows where)", err=True)
        sys.exit(INTERNAL_ERROR)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    prefix = "warning" if issubclass(category, GatewiseWarning) else category.__name__
    typer.echo(f"{prefix}: {message}", err=True)
