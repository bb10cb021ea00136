"""What Azure ML lacks is a closed list, in words that a person reads."""

from core.azure.lacks import LACKS

KINDS = {
    "backup and restore": {"service.backup", "service.restore"},
    "continuing a job": {"jobs.extend"},
    "canceling one trial of a job": {"jobs.cancel_trial"},
    "out-of-fold charts": {"models.curves", "jobs.curves", "jobs.thresholds", "jobs.fold_metrics", "jobs.fairness"},
    "paired differences of out-of-fold predictions": {"jobs.compare_pair", "jobs.winner"},
    "explanations from rows and models at hand": {
        "jobs.importance",
        "jobs.partial_dependence",
        "jobs.explain",
        "jobs.signature",
        "models.explain",
    },
    "outcomes beside the answers": {"records.send_feedback", "records.quality"},
    "reasons of refusals, and answers of mirrored deployments": {"records.refusals", "records.disagreement"},
    "inputs and predictions": {"records.drift", "records.set_drift_limit", "records.predictions"},
    "alerts": {
        "records.set_alert",
        "records.delete_alert",
        "records.alerts",
        "records.unreadable_alerts",
        "records.alert_events",
    },
    "keys of pipelines: batch endpoints take Entra tokens alone": {"pipelines.keys", "pipelines.rotate_key"},
    "a service of ours": {"service.start", "service.run", "service.stop", "service.status", "service.key"},
}


def test_nothing_is_lacking_but_what_is_known():
    """Whoever wants a backend to do less must argue for it here."""
    assert set(LACKS) == set().union(*KINDS.values())


def test_every_reason_is_a_sentence():
    for verb, reason in LACKS.items():
        assert reason[0].isupper(), verb
        assert reason.endswith("."), verb
