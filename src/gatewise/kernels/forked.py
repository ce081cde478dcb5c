"""Threads in forked children."""

from __future__ import annotations

import os

import torch


def _alone() -> None:
    """Compute with one thread: the parent's threads do not exist in a child, and OpenMP would wait for them forever."""
    torch.set_num_threads(1)


def guard_forks() -> None:
    """Make children forked from now on able to compute, for servers that load a model before they fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_alone)
