"""Calibration: probabilities of a trained model made to agree with how often the label is 1.

A method is a :class:`Calibrator`: :class:`Isotonic` and :class:`Platt` learn from rows whose labels are known,
:class:`DownSampling` undoes a sampling whose rate is known. No method changes an order, except for ties. A
:class:`Calibration` holds one calibrator per probability of a model; a product of probabilities stays their product.
Only torch is needed here.
"""

from gatewise.calibration.calibration import Calibration
from gatewise.calibration.calibrator import Calibrator
from gatewise.calibration.down_sampling import DownSampling
from gatewise.calibration.isotonic import Isotonic
from gatewise.calibration.methods import METHODS, calibrator_from_state, make_calibrator
from gatewise.calibration.platt import Platt

__all__ = [
    "METHODS",
    "Calibration",
    "Calibrator",
    "DownSampling",
    "Isotonic",
    "Platt",
    "calibrator_from_state",
    "make_calibrator",
]
