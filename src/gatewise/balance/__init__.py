"""Balancing rules: losses in, task weights out.

A rule declares what it needs of a step: nothing, the losses, or the Gramian of the tasks' gradients at shared tensors.
In all cases one ordinary weighted backward pass follows, and the training loop calls all rules in the same way. A new
rule is one file with a subclass of :class:`BalanceRule` (of :class:`GramianRule` where the Gramian alone decides), and
a declaration of its options in ``gatewise.declare.balance``. Only torch is needed, and for some rules TorchJD.
"""

from gatewise.balance.aligned_mtl import AlignedMTL
from gatewise.balance.cagrad import CAGrad
from gatewise.balance.constrained_uncertainty import ConstrainedUncertainty
from gatewise.balance.db_mtl import DBMTLBalance
from gatewise.balance.dualproj import DualProj
from gatewise.balance.dwa import DWA
from gatewise.balance.fairgrad import FairGrad
from gatewise.balance.famo import FAMO
from gatewise.balance.geometric_mean import GeometricMean
from gatewise.balance.gradnorm import GradNorm
from gatewise.balance.imtl_g import IMTLG
from gatewise.balance.imtl_l import IMTLL
from gatewise.balance.metabalance import MetaBalance
from gatewise.balance.mgda import MGDA
from gatewise.balance.multi_task_loss import MultiTaskLoss
from gatewise.balance.nash_mtl import NashMTL
from gatewise.balance.pcgrad import PCGrad
from gatewise.balance.rlw import RLW
from gatewise.balance.rule import BalanceRule, GramianRule, Site, StepLosses
from gatewise.balance.smooth_tchebycheff import SmoothTchebycheff
from gatewise.balance.soft_uncertainty import SoftUncertainty
from gatewise.balance.static import Static
from gatewise.balance.uncertainty import Uncertainty
from gatewise.balance.upgrad import UPGrad

__all__ = [
    "DWA",
    "FAMO",
    "IMTLG",
    "IMTLL",
    "MGDA",
    "RLW",
    "AlignedMTL",
    "BalanceRule",
    "CAGrad",
    "ConstrainedUncertainty",
    "DBMTLBalance",
    "DualProj",
    "FairGrad",
    "GeometricMean",
    "GradNorm",
    "GramianRule",
    "MetaBalance",
    "MultiTaskLoss",
    "NashMTL",
    "PCGrad",
    "Site",
    "SmoothTchebycheff",
    "SoftUncertainty",
    "Static",
    "StepLosses",
    "UPGrad",
    "Uncertainty",
]
