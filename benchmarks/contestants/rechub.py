"""torch-rechub: its MMOE, its MTLTrainer, its data loaders."""

from __future__ import annotations

import tempfile

import numpy as np
import torch

from contestants.contract import Features
from contestants.peer import Peer, checked
from workload import NUMBERS, TASKS, Rows


class TorchRechub(Peer):
    """Every layer of torch-rechub has batch normalisation, gates included; there is no option to leave it out."""

    package = "torch-rechub"

    def build(self, vocabularies: tuple[int, ...]) -> None:
        from torch_rechub.basic.features import DenseFeature, SparseFeature
        from torch_rechub.models.multi_task import MMOE
        from torch_rechub.trainers import MTLTrainer

        workload, kinds = self.workload, ["classification"] * len(TASKS)
        features = [SparseFeature(f"c{i}", size, embed_dim=workload.dim) for i, size in enumerate(vocabularies)]
        features += [DenseFeature(f"d{i}") for i in range(NUMBERS)]
        towers = [{"dims": list(workload.tower_dims)} for _ in TASKS]
        self.model = MMOE(features, kinds, workload.experts, {"dims": list(workload.expert_dims)}, towers)
        self.trainer = MTLTrainer(
            self.model,
            kinds,
            optimizer_params={"lr": workload.lr, "weight_decay": 0},
            model_path=tempfile.gettempdir(),
        )

    def run_epoch(self, rows: Rows) -> None:
        from torch_rechub.utils.data import DataGenerator

        # its generator wants tables for validation and test as well: they are not read here
        x, y = rows.features(), rows.labels
        loader, _, _ = DataGenerator(x, y).generate_dataloader(
            x_val=x, y_val=y, x_test=x, y_test=y, batch_size=self.workload.batch_size
        )
        self.trainer.train_one_epoch(loader)

    def predict(self, features: Features, batch_size: int) -> np.ndarray:
        """Predict over a loader without labels: that of DataGenerator has labels, which ``predict`` does not take."""
        from torch.utils.data import DataLoader
        from torch_rechub.utils.data import PredictDataset

        loader = DataLoader(PredictDataset(features), batch_size=batch_size)
        return checked(self.trainer.predict(self.model, loader))

    def inputs(self, features: Features) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(column) for name, column in features.items()}
