"""Files and folders that are there whole or not at all, also after a kill or a power cut, and belong to one writer.

A reader sees the version before or the one after, never a mixture. What a process leaves that dies while it writes is
removed by the next one that writes the same.
"""

from gatewise.files.atomic import write_atomically, write_text
from gatewise.files.folders import replace_folder
from gatewise.files.held import held
from gatewise.files.ownership import OTHERS_WRITE, ours_alone
from gatewise.files.versions import read_version

__all__ = ["OTHERS_WRITE", "held", "ours_alone", "read_version", "replace_folder", "write_atomically", "write_text"]
