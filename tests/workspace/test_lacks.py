"""What Azure ML lacks is a closed list, in words that a person reads."""

from core.azure.lacks import LACKS

KINDS = {
    "backup and restore": {"service.backup", "service.restore"},
    "continuing a job": {"jobs.extend"},
    "out-of-fold charts": {"models.curves"},
    "local feedback": {"records.send_feedback"},
    "alerts": {"records.set_alert", "records.alerts"},
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
