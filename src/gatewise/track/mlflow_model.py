"""A flavour of MLflow's models: an artefact that ``mlflow.pyfunc`` loads, without pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gatewise.errors import ArtefactError, DeclarationError, MissingExtraError, did_you_mean
from gatewise.loading import load
from gatewise.ranker import Ranker
from gatewise.serving import find_artefact
from gatewise.version import __version__

if TYPE_CHECKING:
    import pandas as pd

FLAVOUR = "gatewise"
PARAMETER = "calibrated"


def save_mlflow_model(what: Ranker | str | Path, path: str | Path, *, run_id: str | None = None) -> None:
    """Write a model of MLflow: the artefact and a file ``MLmodel``; ``mlflow.pyfunc.load_model(path)`` reads it.

    The loaded model's ``predict`` takes a pandas table with the features and returns one with the predictions;
    ``params={"calibrated": True}`` asks for calibrated probabilities. Needs the extra ``track``.

    Args:
        what: a fitted ranker, or the path of an artefact or a run.
        path: the folder to write.
        run_id: the run of MLflow that the model belongs to.

    Raises:
        MissingExtraError: the package mlflow-skinny, or one that it needs, is not installed.
        ArtefactError: the path exists, or there is no artefact.
    """
    try:
        import mlflow.pyfunc
        from mlflow.models import Model, ModelSignature
        from mlflow.types import ParamSchema, ParamSpec
    except ModuleNotFoundError:
        raise MissingExtraError("track", "a model of MLflow") from None
    if Path(path).exists():
        raise ArtefactError(f"cannot write {str(path)!r}: it exists")
    model = Model(run_id=run_id, signature=ModelSignature(params=ParamSchema([ParamSpec(PARAMETER, "boolean", False)])))
    model.add_flavor(FLAVOUR, version=__version__)
    with _artefact_of(what) as artefact:
        mlflow.pyfunc.save_model(
            str(path),
            loader_module=__name__,
            data_path=str(artefact),
            mlflow_model=model,
            pip_requirements=[f"gatewise=={__version__}"],
        )


@contextmanager
def _artefact_of(what: Ranker | str | Path) -> Iterator[Path]:
    """Yield the folder of an artefact; that of a ranker is a temporary one."""
    if not isinstance(what, Ranker):
        yield find_artefact(Path(what))
        return
    with TemporaryDirectory() as temporary:
        what.save(Path(temporary) / "artefact")
        yield Path(temporary) / "artefact"


class Predicting:
    """What ``mlflow.pyfunc`` calls: a ranker that takes and gives tables of pandas."""

    def __init__(self, ranker: Ranker) -> None:
        self.ranker = ranker

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return one named column per prediction, in the rows' order and with their index."""
        for name in params or {}:
            if name != PARAMETER:
                raise DeclarationError(f"params: unknown parameter {name!r}{did_you_mean(name, [PARAMETER])}")
        predicted = self.ranker.predict(model_input, calibrated=bool((params or {}).get(PARAMETER, False))).to_pandas()
        index = getattr(model_input, "index", None)
        return predicted if index is None else predicted.set_index(index)

    def get_raw_model(self) -> Ranker:
        """Return the ranker; MLflow calls this method by this name."""
        return self.ranker


def _load_pyfunc(path: str, _config: Mapping[str, Any] | None = None) -> Predicting:
    """Return the model of an artefact; MLflow calls it by this name."""
    return Predicting(load(path))
