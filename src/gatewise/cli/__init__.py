"""The command line: one file per command. Slow imports happen when a command runs."""

from gatewise.cli.app import app, main

__all__ = ["app", "main"]
