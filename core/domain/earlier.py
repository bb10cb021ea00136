"""What earlier releases called things, for whoever reads what they have kept."""

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def training_with_azure_names(body: Body) -> dict[str, Any]:
    """A training's spec as JSON, by today's names; one that has them already is given back as it is.

    Before 0.7.0 the algorithms named the vote among them, and folds had a shorter name.
    """
    if "n_cross_validations" in body:
        return dict(body)
    rest = {name: value for name, value in body.items() if name not in ("algorithms", "folds")}
    older = body.get("algorithms", ())
    return rest | {
        "allowed_training_algorithms": [name for name in older if name != "VotingEnsemble"],
        "enable_vote_ensemble": not older or "VotingEnsemble" in older,
        "n_cross_validations": body.get("folds", 0),
    }
