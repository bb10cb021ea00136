"""What users of Azure ML ran into is found by what Azure, or a container, said to them."""

import pytest

from core.azure import known
from core.azure.known import KNOWN, explained

SAID = [
    (
        "mlflow.exceptions.MlflowException: API request to endpoint /api/2.0/mlflow/logged-models failed with error"
        " code 404 != 200. Response body: ''",
        known.LOGGED_MODELS,
    ),
    (
        "(BadArgument) User container has crashed or terminated: Liveness probe failed: HTTP probe failed with"
        " statuscode: 502. Please see troubleshooting guide",
        known.LIVENESS,
    ),
    ("ModuleNotFoundError: No module named 'azureml'\nLiveness probe failed", known.MONITORING),
    ("Collecting mlflow==3.7.0\nWorker failed to boot\nstatuscode: 502", known.MLFLOW_3_MODEL),
    (
        'error detail: {"errors":{"VmSize":["Not enough quota available for Standard_F4s_v2 in SubscriptionId a."'
        ' "Current usage/limit: 0/6. Additional needed: 8"]}}',
        known.QUOTA,
    ),
    (
        "azureml-mlflow 1.62.0.post6 depends on mlflow-skinny<=3.15.0 and you require mlflow 3.16.0",
        known.MLFLOW_CAP,
    ),
    ("Reason Phrase: Invalid jobs override for pipeline job since source job x is specified.", known.SCHEDULE_UPDATE),
    ("The Managed Inference service creation is taking longer than our normal time", known.TIMED_OUT),
    ("ModuleNotFoundError: No module named 'sklearn'", None),
    ("", None),
]


@pytest.mark.parametrize(("said", "cause"), SAID, ids=[cause.name if cause else "unknown" for _, cause in SAID])
def test_an_error_is_known_by_its_words(said, cause):
    assert explained(said) is cause


def test_each_has_a_way_out_and_says_where_it_was_told():
    assert len({trap.name for trap in KNOWN}) == len(KNOWN)
    for trap in KNOWN:
        assert all((trap.cause, trap.way_out))
        assert trap.source.startswith("https://")
