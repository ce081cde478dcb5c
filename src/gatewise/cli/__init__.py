"""The command line: one file a command. What is slow to import is imported when a command runs."""

from gatewise.cli.app import app, main

__all__ = ["app", "main"]
