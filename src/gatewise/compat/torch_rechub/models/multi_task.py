"""Multi-task models of torch-rechub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from gatewise import declare
from gatewise.compat.fields import Field
from gatewise.compat.moved import MovedModel, NoCounterpartError, binary_funnel, tower_options
from gatewise.compat.torch_rechub.basic.features import AnyFeature
from gatewise.errors import DeclarationError

Params = Mapping[str, Any]
"""Options of a perceptron: ``dims``, ``activation`` and ``dropout``."""
LIBRARY = "torch-rechub"
ACTIVATIONS = {"leakyrelu": "leaky_relu"}
KINDS = {"classification": declare.Binary, "regression": declare.Regression}


class RechubModel(MovedModel):
    """Base of the models: features, tasks, and the options of their hidden layers."""

    library = LIBRARY
    features: Sequence[AnyFeature]

    def _set_tasks(self, task_types: Sequence[str]) -> None:
        names = [f"task_{i}" for i in range(len(task_types))]
        for kind in task_types:
            if kind not in KINDS:
                raise DeclarationError(f"task_types: expected classification or regression, found {kind!r}")
        self.task_types = list(task_types)
        self.tasks = [KINDS[kind](name) for kind, name in zip(task_types, names, strict=True)]
        self.columns = names

    @override
    def fields(self) -> list[Field]:
        return [feature.field() for feature in self.features]

    @property
    def names(self) -> list[str]:
        """Names of the tasks."""
        return [task.name for task in self.tasks]

    def _hidden(self, params: Params, towers: Sequence[Params]) -> dict[str, Any]:
        """Return the options of hidden layers; the library normalises every one of them."""
        below, above = _activation_and_dropout([params]), _activation_and_dropout(towers)
        dims = tower_options([tower.get("dims") or () for tower in towers], self.names)
        options = {"activation": below[0], "dropout": below[1], "tower_activation": above[0], "tower_dropout": above[1]}
        return {"tower_dims": dims, "norm": "batch", **options}


def _activation_and_dropout(parts: Sequence[Params]) -> tuple[str, float]:
    for part in parts:
        for name in set(part) - {"dims", "activation", "dropout", "output_layer"}:
            raise DeclarationError(f"expected dims, activation and dropout, found {name!r}")
    found = {(str(part.get("activation", "relu")).lower(), float(part.get("dropout", 0))) for part in parts}
    if len(found) > 1:
        raise NoCounterpartError(f"towers with different activations and dropouts {sorted(found)}", LIBRARY)
    ((activation, dropout),) = found
    if activation in ("dice", "softmax"):
        raise NoCounterpartError(f"activation {activation!r} as torch-rechub computes it", LIBRARY)
    return ACTIVATIONS.get(activation, activation), dropout


class SharedBottom(RechubModel):
    """One bottom that all towers read."""

    def __init__(
        self,
        features: Sequence[AnyFeature],
        task_types: Sequence[str],
        bottom_params: Params,
        tower_params_list: Sequence[Params],
    ) -> None:
        self.features = features
        self.bottom_params, self.tower_params_list = bottom_params, tower_params_list
        self._set_tasks(task_types)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        hidden = self._hidden(self.bottom_params, self.tower_params_list)
        return declare.SharedBottom(bottom_dims=self.bottom_params["dims"], **hidden)


class MMOE(RechubModel):
    """Shared experts and one gate per task."""

    def __init__(
        self,
        features: Sequence[AnyFeature],
        task_types: Sequence[str],
        n_expert: int,
        expert_params: Params,
        tower_params_list: Sequence[Params],
    ) -> None:
        self.features, self.n_expert = features, n_expert
        self.expert_params, self.tower_params_list = expert_params, tower_params_list
        self._set_tasks(task_types)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        hidden = self._hidden(self.expert_params, self.tower_params_list)
        return declare.MMoE(experts=self.n_expert, expert_dims=self.expert_params["dims"], **hidden)


class PLE(RechubModel):
    """Experts of each task and shared experts, in levels."""

    def __init__(
        self,
        features: Sequence[AnyFeature],
        task_types: Sequence[str],
        n_level: int,
        n_expert_specific: int,
        n_expert_shared: int,
        expert_params: Params,
        tower_params_list: Sequence[Params],
    ) -> None:
        self.features, self.n_level = features, n_level
        self.n_expert_specific, self.n_expert_shared = n_expert_specific, n_expert_shared
        self.expert_params, self.tower_params_list = expert_params, tower_params_list
        self._set_tasks(task_types)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        return declare.PLE(
            own_experts=self.n_expert_specific,
            shared_experts=self.n_expert_shared,
            levels=self.n_level,
            expert_dims=self.expert_params["dims"],
            **self._hidden(self.expert_params, self.tower_params_list),
        )


class AITM(RechubModel):
    """Binary tasks in a sequence, each of which passes information to the next."""

    def __init__(
        self,
        features: Sequence[AnyFeature],
        n_task: int,
        bottom_params: Params,
        tower_params_list: Sequence[Params],
    ) -> None:
        self.features, self.n_task = features, n_task
        self.bottom_params, self.tower_params_list = bottom_params, tower_params_list
        self._set_tasks(["classification"] * n_task)

    @override
    def architecture(self) -> declare.AnyArchitecture:
        hidden = self._hidden(self.bottom_params, self.tower_params_list)
        return declare.AITM(order=self.names, bottom_dims=self.bottom_params["dims"], **hidden)


class ESMM(RechubModel):
    """A click and a conversion after it; labels and predictions are those of cvr, ctr and ctcvr, in this order."""

    def __init__(
        self,
        user_features: Sequence[AnyFeature],
        item_features: Sequence[AnyFeature],
        cvr_params: Params,
        ctr_params: Params,
    ) -> None:
        self.user_features, self.item_features = user_features, item_features
        self.cvr_params, self.ctr_params = cvr_params, ctr_params
        self.features = [*user_features, *item_features]
        self.tasks = binary_funnel("ctr", "cvr")
        self.columns = ["cvr_given_ctr", "ctr", "ctr_and_cvr"]

    @override
    def architecture(self) -> declare.AnyArchitecture:
        towers = (self.ctr_params, self.cvr_params)
        return declare.SharedBottom(bottom_dims=(), **self._hidden(towers[0], towers))
