"""Settings of a process on its machine: freed memory, threads and how they wait; and what a machine has.

Nothing here happens by itself. The commands that train call :func:`tune_process`, and a script may; ``fit`` does not.
:func:`gatewise.machine.doctor.examine` says what a machine has. Importing this room imports Python's
own modules only, because some of it must happen before torch is imported.
"""

from gatewise.machine.allocator import freed_memory_is_kept, give_back_freed_memory, keep_freed_memory
from gatewise.machine.threads import spin_count, use_threads, wait_briefly

__all__ = [
    "freed_memory_is_kept",
    "give_back_freed_memory",
    "keep_freed_memory",
    "spin_count",
    "tune_process",
    "use_threads",
    "wait_briefly",
]


def tune_process() -> None:
    """Tune this process for training: it keeps the memory that it frees, and its waiting threads yield their cores.

    A training step frees what the next one needs again. By default blocks above 32 MB go back to the system and are
    fetched anew at every step, and threads spin while they wait, which costs other programs their cores. The commands
    ``gatewise train``, ``compare`` and ``demo`` call this function; call it in a script that trains, before torch is
    imported: OpenMP reads how threads wait when torch loads it. Memory is kept on Linux with glibc only. Memory and
    threads stay tuned until the process ends.

    Example:
        >>> import gatewise as gw
        >>> gw.tune_process()
    """
    keep_freed_memory()
    wait_briefly()
