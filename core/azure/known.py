"""What users of Azure ML ran into, as their reports tell it: how each shows, what is behind it, and the way out.

Read where Azure says little: `explained` finds the cause in an error or in a container's log, `preflight` and the
doctor look before it happens. `source` is where it was told.
"""

import re
from dataclasses import dataclass

_SDK = "https://github.com/Azure/azure-sdk-for-python/issues/"
_EXAMPLES = "https://github.com/Azure/azureml-examples/pull/"


@dataclass(frozen=True, slots=True)
class Known:
    """One trap: `shows` finds it in what Azure or a container says; None where it shows in no text."""

    name: str
    cause: str
    way_out: str
    source: str
    shows: re.Pattern[str] | None = None


def _in(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


LOGGED_MODELS = Known(
    "MLflow 3 and /logged-models",
    "MLflow 3 asks for /api/2.0/mlflow/logged-models, which Azure ML's tracking does not have, and gets 404",
    'Install "mlflow<3" where the model is logged, or save it to a folder and log that with log_artifacts',
    _SDK + "44896",
    _in(r"logged-models.*404|404.*logged-models"),
)
MLFLOW_3_MODEL = Known(
    "A model that MLflow 3 wrote",
    "Azure's no-code server does not load the model folders of MLflow 3: the container dies and the liveness probe"
    " reports 502",
    'Save the model with "mlflow<3", or deploy it with a scoring script and an environment of your own',
    _EXAMPLES + "4051",
    _in(r"mlflow.{0,40}\b3\.\d+"),
)
MONITORING = Known(
    "azureml-ai-monitoring is missing",
    "Azure's no-code server imports azureml.ai.monitoring, and the model's conda file does not install it",
    "Add azureml-ai-monitoring and azureml-inference-server-http to the pip part of the model's conda.yaml",
    _EXAMPLES + "3923",
    _in(r"No module named '?azureml"),
)
LIVENESS = Known(
    "The container died before it was ready",
    "The container ended, or was not up in time, and the liveness probe got 502",
    "The last traceback of 'endpoint logs' names the cause; where there is none, give the probes more time"
    " (initial_delay 500 s, failure_threshold 30)",
    _EXAMPLES + "3983",
    _in(r"liveness probe failed|container has crashed or terminated|statuscode: 502"),
)
TIMED_OUT = Known(
    "The deployment timed out",
    "Azure gave up waiting for the container and does not say why; most often an image that cannot be built, a model"
    " that fails to load, or a registry that cannot be reached",
    "Look at 'endpoint logs' (the storage initializer's too), and run the model in the local server before: pre-flight"
    " does that",
    "https://github.com/Azure/azure-cli-extensions/issues/4088",
    _in(r"taking longer than our normal time|DeploymentTimedOut|polling has TimedOut"),
)
QUOTA = Known(
    "Quota",
    "The subscription has no cores left for machines of this size in this region; Azure says so only when the"
    " deployment is made, and keeps a fifth more than it runs",
    "'python -m core doctor --workspace azure' names a size that fits; more is asked for in Azure's portal under"
    " Quotas",
    "https://github.com/MicrosoftDocs/azure-docs/issues/101942",
    _in(r"not enough quota|OutOfQuota|QuotaExceeded|quota.{0,60}(exceed|less than)|ClusterCoreQuotaReached"),
)
MLFLOW_CAP = Known(
    "azureml-mlflow holds mlflow back",
    "azureml-mlflow allows mlflow-skinny up to a fixed version only, so a newer mlflow cannot be installed beside it",
    "Leave azureml-mlflow out: Slipway does not need it, and a job on Azure gets its tracking address from Azure",
    _SDK + "48745",
    _in(r"azureml-mlflow.{0,200}mlflow-skinny|mlflow-skinny.{0,200}azureml-mlflow"),
)
SCHEDULE_UPDATE = Known(
    "A schedule cannot be updated after its job was submitted",
    "A job that was submitted carries its own id, and Azure refuses to override the steps of such a job in a schedule",
    "Build the job anew for the update and do not submit it; Slipway always does",
    _SDK + "40288",
    _in(r"Invalid ?jobs ?override"),
)
DOUBLED = Known(
    "One invocation, many jobs",
    "A client that got no answer in time sends the request to a batch endpoint again, and each one starts a job",
    "Give a repeat key: Slipway then looks for the run that has it before it starts another",
    _SDK + "31166",
)
REUSED = Known(
    "The second run of a schedule ends without working",
    "The steps' code and inputs are the same, so Azure takes the outputs of the run before, and nothing runs; or the"
    " job in the schedule has a fixed name, which exists after the first run",
    "Set is_deterministic: false for each component (or force_rerun for the job) and give the job no name; Slipway"
    " does both",
    "https://github.com/Azure/bicep-types-az/issues/2063",
)
SDK_V1 = Known(
    "SDK v1",
    "The SDK v1 (azureml-core) is without support since 30 June 2026, and does not mix with v2 in one environment",
    "Use azure-ai-ml: Workspace.from_config() becomes MLClient.from_config(credential), Run and ScriptRunConfig"
    " become command(), Webservice becomes ManagedOnlineEndpoint"
    " (https://learn.microsoft.com/azure/machine-learning/how-to-migrate-from-v1)",
    "https://learn.microsoft.com/azure/machine-learning/migrate-to-v2-deploy-endpoints",
    _in(r"azureml[-.]core|azureml\.(pipeline|train|data)\b"),
)

KNOWN = (
    *(LOGGED_MODELS, MONITORING, QUOTA, SCHEDULE_UPDATE, MLFLOW_CAP, TIMED_OUT, MLFLOW_3_MODEL, SDK_V1, LIVENESS),
    *(DOUBLED, REUSED),
)
"""The most telling first: a dead container's log often names more than one."""


def explained(text: str) -> Known | None:
    """What is known of this error or log; None where nothing is."""
    return next((known for known in KNOWN if known.shows and known.shows.search(text)), None)
