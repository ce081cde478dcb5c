"""What a forked child must know before it computes."""

from __future__ import annotations

import os

import torch


def _alone() -> None:
    """Compute with one thread: the parent's others do not exist here, and OpenMP would wait for them for ever."""
    torch.set_num_threads(1)


def guard_forks() -> None:
    """From now on a child forked from this process computes, as servers that load a model before they fork need it."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_alone)
