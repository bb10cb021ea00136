"""What Azure Machine Learning cannot do of the interface, each verb with its reason: a closed list, held by a test."""

from collections.abc import Mapping

NO_SERVICE = "Azure runs what is asked for itself; there is no service of ours to look after."
NO_KEYS = (
    "A batch endpoint of Azure has no keys; an Entra token starts its runs"
    " (az account get-access-token --resource https://ml.azure.com)."
)

NO_PREDICTIONS = "AutoML on Azure keeps no out-of-fold predictions to compute this from."
NO_ROWS = "Explaining takes a trial's models and rows at hand; on Azure they are asked for in its studio."

LACKS: Mapping[str, str] = {
    "service.start": NO_SERVICE,
    "service.run": NO_SERVICE,
    "service.stop": NO_SERVICE,
    "service.status": NO_SERVICE,
    "service.key": NO_SERVICE,
    "service.backup": "What Azure keeps cannot be copied out as one file; its storage account has backups of its own.",
    "service.restore": "Nothing can be put back into Azure as it was; its storage account has backups of its own.",
    "pipelines.keys": NO_KEYS,
    "pipelines.rotate_key": NO_KEYS,
    "jobs.cancel_trial": "One trial alone is canceled in Azure's studio; from here the whole training is.",
    "jobs.extend": "A training on Azure cannot be continued; submit it again with more time.",
    **dict.fromkeys(
        (
            "jobs.compare_pair",
            "jobs.winner",
            "jobs.curves",
            "jobs.thresholds",
            "jobs.fold_metrics",
            "jobs.fairness",
            "models.curves",
        ),
        NO_PREDICTIONS,
    ),
    **dict.fromkeys(
        ("jobs.importance", "jobs.partial_dependence", "jobs.explain", "jobs.signature", "models.explain"), NO_ROWS
    ),
    "records.send_feedback": "Feedback is kept by this machine's servers; Azure's have no place for it.",
    "records.set_alert": "Azure Monitor has alerts of its own; make them there.",
    "records.alerts": "Azure Monitor has alerts of its own; look at them there.",
}
"""Verb -> why not, in a sentence that people read beside what is greyed."""
