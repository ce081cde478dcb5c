"""DeepCTR-Torch: its MMOE with its own fit and predict."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import torch

from contestants.contract import Features
from contestants.peer import Peer, checked
from workload import NUMBERS, TASKS, Rows


class DeepCTRTorch(Peer):
    """Trained without penalties, gates linear; one matrix of all columns goes in."""

    package = "deepctr-torch"

    def build(self, vocabularies: tuple[int, ...]) -> None:
        # its import asks PyPI for a newer version, through requests, which it does not declare: nobody answers here
        sys.modules.setdefault("requests", ModuleType("requests"))
        from deepctr_torch.inputs import DenseFeat, SparseFeat
        from deepctr_torch.models import MMOE

        workload = self.workload
        columns = [SparseFeat(f"c{i}", size, embedding_dim=workload.dim) for i, size in enumerate(vocabularies)]
        columns += [DenseFeat(f"d{i}", 1) for i in range(NUMBERS)]
        self.model = MMOE(
            columns,
            num_experts=workload.experts,
            expert_dnn_hidden_units=workload.expert_dims,
            gate_dnn_hidden_units=(),
            tower_dnn_hidden_units=workload.tower_dims,
            l2_reg_linear=0,
            l2_reg_embedding=0,
            task_types=("binary",) * len(TASKS),
            task_names=TASKS,
            seed=self.seed,
        )
        adam = torch.optim.Adam(self.model.parameters(), workload.lr)
        self.model.compile(adam, loss=["binary_crossentropy"] * len(TASKS))

    def run_epoch(self, rows: Rows) -> None:
        self.model.fit(rows.features(), rows.labels, batch_size=self.workload.batch_size, epochs=1, verbose=0)

    def predict(self, features: Features, batch_size: int) -> np.ndarray:
        return checked(self.model.predict(dict(features), batch_size))

    def inputs(self, features: Features) -> torch.Tensor:
        return torch.from_numpy(np.column_stack([features[name] for name in self.model.feature_index])).float()
