"""Plain scripts of other libraries run here with only their imports changed.

``gatewise.compat.torch_rechub`` and ``gatewise.compat.deepctr_torch`` have the modules, names, arguments, defaults and
return shapes of those libraries; beneath is a :class:`gatewise.Ranker`, which ``trainer.ranker`` and ``model.ranker``
give. Numbers are not promised to be equal. What has no counterpart is one line that names the page about moving.
"""

from gatewise.compat.moved import NoCounterpartError

__all__ = ["NoCounterpartError"]
