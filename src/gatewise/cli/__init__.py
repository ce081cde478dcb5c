"""The command line: one file a command."""

from gatewise.cli.app import app, main

__all__ = ["app", "main"]
