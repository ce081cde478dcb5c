"""The multi-task models of DeepCTR-Torch."""

from gatewise.compat.deepctr_torch.models.multitask import ESMM, MMOE, PLE, SharedBottom

__all__ = ["ESMM", "MMOE", "PLE", "SharedBottom"]
