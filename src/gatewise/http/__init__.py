"""A trained model as an HTTP service (extra ``serve``).

A request's values are encoded by the encoder that training used, computed by ONNX Runtime, and answered: :mod:`app`
says which address does what, :mod:`ranking` how candidates are ordered, :mod:`inference` what clients of Triton and
KServe speak, :mod:`models` how a model takes another one's place without losing a request,
:mod:`watching` how what is promoted does.
"""

from gatewise.http.access import Access, access_of, read_token
from gatewise.http.app import make_app
from gatewise.http.items import ItemFile
from gatewise.http.limits import Limits
from gatewise.http.server import serve
from gatewise.http.sources import Source, Sources, Watched, sources_of

__all__ = [
    "Access",
    "ItemFile",
    "Limits",
    "Source",
    "Sources",
    "Watched",
    "access_of",
    "make_app",
    "read_token",
    "serve",
    "sources_of",
]
