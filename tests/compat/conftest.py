"""Made-up rows of known layouts, which the script of the migration pages draws too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
