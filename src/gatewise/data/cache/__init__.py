"""Encoded rows on disk, from which training reads windows: tables that are larger than memory.

A cache is a folder of Arrow IPC files, with one column of fixed-size lists per matrix and ragged lists as they are, in
record batches of :data:`BLOCK_ROWS` rows, and a manifest that is written last. Rows are dealt to the files at random
while they are encoded, so that files sorted by time or by label do no harm.
"""

from gatewise.data.cache.encoding import Plan, write_cache
from gatewise.data.cache.manifest import MANIFEST, Manifest, Part
from gatewise.data.cache.places import CacheFolder, cache_home, cache_of, caches, remove_cache
from gatewise.data.cache.records import BLOCK_ROWS
from gatewise.data.cache.rows import CachedRows, open_cache
from gatewise.data.cache.turns import Turns

__all__ = [
    "BLOCK_ROWS",
    "MANIFEST",
    "CacheFolder",
    "CachedRows",
    "Manifest",
    "Part",
    "Plan",
    "Turns",
    "cache_home",
    "cache_of",
    "caches",
    "open_cache",
    "remove_cache",
    "write_cache",
]
