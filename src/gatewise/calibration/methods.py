"""Calibrators by the names of their methods."""

from __future__ import annotations

from typing import Any

from gatewise.calibration.calibrator import Calibrator
from gatewise.calibration.down_sampling import DownSampling
from gatewise.calibration.isotonic import Isotonic
from gatewise.calibration.platt import Platt

METHODS: dict[str, type[Isotonic] | type[Platt] | type[DownSampling]] = {
    kind.method: kind for kind in (Isotonic, Platt, DownSampling)
}


def make_calibrator(method: str, **options: Any) -> Calibrator:
    """Return a calibrator that was not fitted yet."""
    return METHODS[method](**options)


def calibrator_from_state(state: dict[str, Any]) -> Calibrator:
    """Return a calibrator as it was when ``{"method": method} | state()`` was written.

    Raises:
        KeyError, TypeError, ValueError: it is no such state.
    """
    return make_calibrator(**state)
