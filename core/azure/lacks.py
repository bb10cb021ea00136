"""What Azure Machine Learning cannot do of the interface, each verb with its reason: a closed list, held by a test."""

from collections.abc import Mapping

NO_SERVICE = "Azure runs what is asked for itself; there is no service of ours to look after."
NO_KEYS = (
    "A batch endpoint of Azure has no keys; an Entra token starts its runs"
    " (az account get-access-token --resource https://ml.azure.com)."
)

NO_PREDICTIONS = "AutoML on Azure keeps no out-of-fold predictions to compute this from."
NO_ROWS = "Explaining takes a trial's models and rows at hand; on Azure they are asked for in its studio."

NO_OUTCOMES = "Outcomes are kept beside the answers of this machine's servers; Azure's have no place for them."
NO_INPUTS = "Inputs are collected by Azure ML's model data collector, and drift is watched by its model monitoring."
NO_ALERTS = "Azure Monitor has alerts of its own; make them and look at them there."

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
    "records.send_feedback": NO_OUTCOMES,
    "records.quality": NO_OUTCOMES,
    "records.refusals": "Application Insights records that a request was rejected, and not why.",
    "records.disagreement": "Application Insights has no answers to compare; a mirrored deployment's are thrown away.",
    **dict.fromkeys(("records.drift", "records.set_drift_limit", "records.predictions"), NO_INPUTS),
    **dict.fromkeys(("records.set_alert", "records.delete_alert", "records.alerts", "records.alert_events"), NO_ALERTS),
    "records.unreadable_alerts": NO_ALERTS,
}
"""Verb -> why not, in a sentence that people read beside what is greyed."""
