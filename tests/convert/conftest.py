"""Rows that all converted models predict."""

from __future__ import annotations

import numpy as np
import pytest
from live_models import make_rows


@pytest.fixture(scope="session")
def rows() -> dict[str, np.ndarray]:
    return make_rows()
