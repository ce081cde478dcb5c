"""Calibration: probabilities of a trained model made to agree with how often the label is 1.

A method is a :class:`Calibrator`: :class:`Isotonic` and :class:`Platt` learn from rows whose labels are known,
:class:`DownSampling` undoes a sampling whose rate is known; :class:`Best` chooses one of the first two. No method
changes an order. A :class:`Calibration` holds one calibrator per probability of a model; a product of probabilities
stays their product. Only torch is needed here.
"""

from gatewise.calibration.best import Best
from gatewise.calibration.calibration import Calibration
from gatewise.calibration.calibrator import Calibrator, Fitter
from gatewise.calibration.down_sampling import DownSampling
from gatewise.calibration.isotonic import Isotonic
from gatewise.calibration.methods import METHODS, calibrator_from_state, make_calibrator, make_fitter
from gatewise.calibration.platt import Platt

__all__ = [
    "METHODS",
    "Best",
    "Calibration",
    "Calibrator",
    "DownSampling",
    "Fitter",
    "Isotonic",
    "Platt",
    "calibrator_from_state",
    "make_calibrator",
    "make_fitter",
]
