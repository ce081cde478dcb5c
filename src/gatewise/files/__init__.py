"""Files and folders that are complete or absent, also after a kill or a power cut, and belong to one writer.

A reader sees the old version or the new one, never a mixture. If a process dies while it writes, the next writer of the
same file or folder removes the rest.
"""

from gatewise.files.atomic import write_atomically, write_bytes, write_text
from gatewise.files.folders import replace_folder
from gatewise.files.held import held, held_in_turn, is_held
from gatewise.files.ownership import OTHERS_WRITE, ours_alone
from gatewise.files.temporary import temporary_folder
from gatewise.files.versions import read_version

__all__ = [
    "OTHERS_WRITE",
    "held",
    "held_in_turn",
    "is_held",
    "ours_alone",
    "read_version",
    "replace_folder",
    "temporary_folder",
    "write_atomically",
    "write_bytes",
    "write_text",
]
