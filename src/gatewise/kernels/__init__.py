"""The few operations where training spends its time: each in PyTorch, and in C where the machine has a compiler.

``GATEWISE_KERNELS=torch`` turns C off. Results of the two differ only by the order of sums.
"""

from gatewise.kernels.adam import AdamStep, update_adam, update_adam_rows
from gatewise.kernels.forked import guard_forks
from gatewise.kernels.group_linear import group_linear
from gatewise.kernels.library import InUse, describe, in_use
from gatewise.kernels.lookup import Lookup, gather, sum_rows
from gatewise.kernels.mixture import mix
from gatewise.kernels.pages import on_huge_pages

guard_forks()

__all__ = [
    "AdamStep",
    "InUse",
    "Lookup",
    "describe",
    "gather",
    "group_linear",
    "in_use",
    "mix",
    "on_huge_pages",
    "sum_rows",
    "update_adam",
    "update_adam_rows",
]
