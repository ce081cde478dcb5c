"""Options as people type them, right and wrong: mypy refuses the wrong ones.

``make lint`` checks this file, and fails where a wrong option is not an error: an ignored error that is none is one.
"""

import gatewise as gw

schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
gw.Ranker(schema, gw.MMoE(), epochs=5, lr=0.01, schedule="cosine", patience=None)
gw.Ranker(schema, gw.MMoE(), epoch=5)  # type: ignore[call-arg]
gw.Ranker(schema, gw.MMoE(), lr="fast")  # type: ignore[arg-type]
gw.compare("recipe.yaml", seeds=3, also=["ple"])
gw.compare("recipe.yaml", sedes=3)  # type: ignore[call-arg]
