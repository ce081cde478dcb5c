"""How much each task's loss counts: losses in, weights out.

A new rule is one file with a subclass of :class:`BalanceRule`, and a declaration of its options in
``gatewise.declare.balance``; the training loop calls all of them alike. Nothing is needed but torch.
"""

from gatewise.balance.rule import BalanceRule
from gatewise.balance.static import Static
from gatewise.balance.uncertainty import Uncertainty

__all__ = ["BalanceRule", "Static", "Uncertainty"]
