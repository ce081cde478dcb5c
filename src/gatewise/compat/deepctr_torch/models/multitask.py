"""The multi-task models of DeepCTR-Torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from gatewise import declare
from gatewise.compat.deepctr_torch.inputs import AnyFeat
from gatewise.compat.deepctr_torch.models.basemodel import BaseModel, Dims
from gatewise.compat.moved import binary_funnel
from gatewise.errors import DeclarationError

Types = Sequence[str]


class SharedBottom(BaseModel):
    """One bottom that all towers read."""

    def __init__(
        self,
        dnn_feature_columns: Sequence[AnyFeat],
        bottom_dnn_hidden_units: Dims = (256, 128),
        tower_dnn_hidden_units: Dims = (64,),
        l2_reg_linear: float = 0.00001,
        l2_reg_embedding: float = 0.00001,
        l2_reg_dnn: float = 0,
        init_std: float = 0.0001,
        seed: int = 1024,
        dnn_dropout: float = 0,
        dnn_activation: str = "relu",
        dnn_use_bn: bool = False,
        task_types: Types = ("binary", "binary"),
        task_names: Types = ("ctr", "ctcvr"),
        device: str = "cpu",
        gpus: Any = None,
    ) -> None:
        options = _options(dnn_dropout, dnn_activation, dnn_use_bn)
        super().__init__(dnn_feature_columns, options, l2_reg_embedding, l2_reg_dnn, seed, device, gpus)
        self.bottom, self.towers = bottom_dnn_hidden_units, tower_dnn_hidden_units
        self._set_tasks(task_types, task_names)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        return declare.SharedBottom(bottom_dims=self.bottom, tower_dims=self.towers, **self.hidden)


class ESMM(BaseModel):
    """A click and a conversion after it; labels and predictions are those of ctr and ctcvr."""

    def __init__(
        self,
        dnn_feature_columns: Sequence[AnyFeat],
        tower_dnn_hidden_units: Dims = (256, 128),
        l2_reg_linear: float = 0.00001,
        l2_reg_embedding: float = 0.00001,
        l2_reg_dnn: float = 0,
        init_std: float = 0.0001,
        seed: int = 1024,
        dnn_dropout: float = 0,
        dnn_activation: str = "relu",
        dnn_use_bn: bool = False,
        task_types: Types = ("binary", "binary"),
        task_names: Types = ("ctr", "ctcvr"),
        device: str = "cpu",
        gpus: Any = None,
    ) -> None:
        options = _options(dnn_dropout, dnn_activation, dnn_use_bn)
        super().__init__(dnn_feature_columns, options, l2_reg_embedding, l2_reg_dnn, seed, device, gpus)
        self.towers = tower_dnn_hidden_units
        if list(task_types) != ["binary", "binary"] or len(task_names) != 2:
            raise DeclarationError(f"ESMM: expected two binary tasks, found {list(task_types)} {list(task_names)}")
        before, after = task_names
        self.task_names = list(task_names)
        self.tasks, self.columns = binary_funnel(before, after), [before, f"{before}_and_{after}"]

    @override
    def architecture(self) -> declare.AnyArchitecture:
        return declare.SharedBottom(bottom_dims=(), tower_dims=self.towers, **self.hidden)


class MMOE(BaseModel):
    """Shared experts and one gate per task."""

    def __init__(
        self,
        dnn_feature_columns: Sequence[AnyFeat],
        num_experts: int = 3,
        expert_dnn_hidden_units: Dims = (256, 128),
        gate_dnn_hidden_units: Dims = (64,),
        tower_dnn_hidden_units: Dims = (64,),
        l2_reg_linear: float = 0.00001,
        l2_reg_embedding: float = 0.00001,
        l2_reg_dnn: float = 0,
        init_std: float = 0.0001,
        seed: int = 1024,
        dnn_dropout: float = 0,
        dnn_activation: str = "relu",
        dnn_use_bn: bool = False,
        task_types: Types = ("binary", "binary"),
        task_names: Types = ("ctr", "ctcvr"),
        device: str = "cpu",
        gpus: Any = None,
    ) -> None:
        options = _options(dnn_dropout, dnn_activation, dnn_use_bn)
        super().__init__(dnn_feature_columns, options, l2_reg_embedding, l2_reg_dnn, seed, device, gpus)
        self.num_experts, self.experts = num_experts, expert_dnn_hidden_units
        self.gates, self.towers = gate_dnn_hidden_units, tower_dnn_hidden_units
        self._set_tasks(task_types, task_names)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        return declare.MMoE(
            experts=self.num_experts,
            expert_dims=self.experts,
            gate_dims=self.gates,
            gate_dropout=self.hidden["dropout"],
            tower_dims=self.towers,
            **self.hidden,
        )


class PLE(BaseModel):
    """Experts of each task and shared experts, in levels."""

    def __init__(
        self,
        dnn_feature_columns: Sequence[AnyFeat],
        shared_expert_num: int = 1,
        specific_expert_num: int = 1,
        num_levels: int = 2,
        expert_dnn_hidden_units: Dims = (256, 128),
        gate_dnn_hidden_units: Dims = (64,),
        tower_dnn_hidden_units: Dims = (64,),
        l2_reg_linear: float = 0.00001,
        l2_reg_embedding: float = 0.00001,
        l2_reg_dnn: float = 0,
        init_std: float = 0.0001,
        seed: int = 1024,
        dnn_dropout: float = 0,
        dnn_activation: str = "relu",
        dnn_use_bn: bool = False,
        task_types: Types = ("binary", "binary"),
        task_names: Types = ("ctr", "ctcvr"),
        device: str = "cpu",
        gpus: Any = None,
    ) -> None:
        options = _options(dnn_dropout, dnn_activation, dnn_use_bn)
        super().__init__(dnn_feature_columns, options, l2_reg_embedding, l2_reg_dnn, seed, device, gpus)
        self.shared_expert_num, self.specific_expert_num = shared_expert_num, specific_expert_num
        self.num_levels, self.experts = num_levels, expert_dnn_hidden_units
        self.gates, self.towers = gate_dnn_hidden_units, tower_dnn_hidden_units
        self._set_tasks(task_types, task_names)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        return declare.PLE(
            own_experts=self.specific_expert_num,
            shared_experts=self.shared_expert_num,
            levels=self.num_levels,
            expert_dims=self.experts,
            gate_dims=self.gates,
            gate_dropout=self.hidden["dropout"],
            tower_dims=self.towers,
            **self.hidden,
        )


def _options(dropout: float, activation: str, normed: bool) -> dict[str, Any]:
    return {"dropout": dropout, "activation": activation, "norm": "batch" if normed else "none"}
