"""Calibrators by the names of their methods."""

from __future__ import annotations

from typing import Any

from gatewise.calibration.best import Best
from gatewise.calibration.calibrator import Calibrator, Fitter
from gatewise.calibration.down_sampling import DownSampling
from gatewise.calibration.isotonic import Isotonic
from gatewise.calibration.platt import Platt

METHODS: dict[str, type[Isotonic] | type[Platt] | type[DownSampling]] = {
    kind.method: kind for kind in (Isotonic, Platt, DownSampling)
}


def make_calibrator(method: str, **options: Any) -> Calibrator:
    """Return a new calibrator, not fitted."""
    return METHODS[method](**options)


def make_fitter(method: str, **options: Any) -> Fitter:
    """Return what learns a calibrator by a method; ``auto`` chooses one."""
    return Best() if method == Best.method else make_calibrator(method, **options)


def calibrator_from_state(state: dict[str, Any]) -> Calibrator:
    """Return the calibrator of a written ``{"method": method} | state()``.

    Raises:
        KeyError, TypeError, ValueError: the state is not a calibrator's.
    """
    return make_calibrator(**state)
