"""Every setting: one table of name, default, unit and help, read once at each entry point into one frozen value.

A setting `home` is the environment variable `SLIPWAY_HOME`; a command-line flag of the same name wins over it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.domain.errors import SpecInvalid

CHECKOUT = Path(__file__).resolve().parent.parent

BANK_MARKETING_URL = (
    "https://automlsamplenotebookdata.blob.core.windows.net/automl-sample-notebook-data/bankmarketing_train.csv"
)
BANK_MARKETING_SHA256 = "8486deac8524001363f4257f3ece9cb6126beac8070b6b4b8c6e63713217a502"


class Setting(NamedTuple):
    """One row of the table; `default` fixes the type."""

    name: str
    default: str | int | float | bool
    unit: str
    help: str
    also: str = ""
    """A variable that others know it by, read where ours is not set."""

    @property
    def variable(self) -> str:
        return f"SLIPWAY_{self.name.upper()}"


TABLE = (
    Setting("home", str(CHECKOUT / ".slipway"), "path", "The workspace folder: everything that Slipway stores."),
    Setting("workspace", "local", "name", "The backend behind the interface."),
    Setting(
        "data_dir", str(CHECKOUT / "data"), "paths", "Folders with tables, separated by `:`; the first match wins."
    ),
    Setting(
        "read_dir",
        "",
        "paths",
        "Further folders, separated by `:`, from which the app and the HTTP door may read a table by its path.",
    ),
    Setting("upload_max_mb", 200, "MB", "A file that is uploaded in the app may be this large."),
    Setting("unpacked_max_mb", 2000, "MB", "A file that is uploaded may be this large once it is unpacked."),
    Setting(
        "data_url", BANK_MARKETING_URL, "address", "Where the Bank Marketing table is fetched when no folder has it."
    ),
    Setting("offline", False, "0 or 1", "1: never fetch a table; the synthetic twin takes its place."),
    Setting("download_timeout_s", 10.0, "s", "A download that takes longer gives way to the twin."),
    Setting("service_port", 0, "port", "Port of the service's HTTP door; 0 picks a free one once and keeps it."),
    Setting(
        "service_host", "127.0.0.1", "address", "Where the service's HTTP door listens; others than loopback need TLS."
    ),
    Setting("service_tls_cert", "", "path", "The door's certificate chain (PEM); with it the door speaks HTTPS."),
    Setting("service_tls_key", "", "path", "The certificate's private key (PEM)."),
    Setting("service_allow_http", False, "0 or 1", "1: plain HTTP on an address other than loopback all the same."),
    Setting("service_names", "", "names", "Further host names, separated by `,`, under which the door may be called."),
    Setting("app_port", 8501, "port", "Port of the app that `demo` starts."),
    Setting("reconcile_s", 0.2, "s", "How often the service compares the desired state with the actual one."),
    Setting("start_timeout_s", 30.0, "s", "A service or scoring server that is not up by then has failed to start."),
    Setting("threads", os.cpu_count() or 2, "count", "Threads of the default compute `local`."),
    Setting("memory_mb", 4096, "MB", "Memory of one job on the default compute `local`; a trial above it is stopped."),
    Setting("runs_max_concurrent", 8, "count", "So many pipeline runs go on at once; the others wait."),
    Setting("runs_max_queued", 500, "count", "So many pipeline runs may wait; a further one is rejected with 429."),
    Setting(
        "steps_max_concurrent", 2, "count", "So many steps of all runs, other than trainings and gates, go on at once."
    ),
    Setting("step_log_max_mb", 16.0, "MB", "What a step prints beyond this is left out, from the middle of its log."),
    Setting("step_outputs_max_mb", 2000.0, "MB", "Above this the oldest steps' outputs are removed."),
    Setting("runs_max_days", 90.0, "days", "A pipeline run, its logs and its steps' outputs are removed when older."),
    Setting("notify_url", "", "address", "A webhook that is told of every pipeline run that failed (POST, JSON)."),
    Setting("notify_command", "", "command", "A program, with its words, that is told the same on its standard input."),
    Setting("alert_look_s", 10.0, "s", "So often the service looks at alerts; at drift once a minute at most."),
    Setting("segment_s", 10.0, "s", "A telemetry segment is closed and merged with others after this time."),
    Setting("records_max_days", 30.0, "days", "An endpoint's records, and its kept inputs, are removed when older."),
    Setting(
        "records_max_mb", 2000.0, "MB", "Above this the oldest records of an endpoint, or kept inputs, are removed."
    ),
    Setting("outcomes_max_days", 365.0, "days", "The outcomes of requests that are older are removed."),
    Setting("azure_config", "", "path", "A `config.json` as Azure's studio downloads it; it names the workspace."),
    Setting("azure_subscription", "", "id", "The subscription of the Azure ML workspace.", "AZUREML_ARM_SUBSCRIPTION"),
    Setting("azure_resource_group", "", "name", "Its resource group.", "AZUREML_ARM_RESOURCEGROUP"),
    Setting("azure_workspace", "", "name", "The Azure ML workspace's name.", "AZUREML_ARM_WORKSPACE_NAME"),
    Setting(
        "azure_credential",
        "environment",
        "name",
        "How to sign in: `environment` (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET of a service principal),"
        " `cli`, `managed-identity` or `browser`.",
    ),
    Setting("azure_compute", "cpu-cluster", "name", "The cluster on which trainings and steps run; made when absent."),
    Setting("azure_compute_size", "Standard_DS3_v2", "size", "The size of the cluster's machines."),
    Setting("azure_compute_nodes", 4, "count", "So many machines the cluster has at most; it has none while idle."),
    Setting("azure_instance_type", "Standard_DS3_v2", "size", "The size of the machines behind an endpoint."),
    Setting("azure_instances", 1, "count", "So many machines a new deployment has."),
    Setting("azure_notice", "", "text", "What the app says on every page about this workspace of Azure ML."),
    Setting(
        "otlp_url",
        "",
        "address",
        "An OTLP collector (HTTP) to forward requests and log lines to, such as `http://host:4318`; also "
        "`OTEL_EXPORTER_OTLP_ENDPOINT`.",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ),
    Setting(
        "app_insights_connection",
        "",
        "text",
        "The connection string of an Application Insights resource to forward the same to; also "
        "`APPLICATIONINSIGHTS_CONNECTION_STRING`.",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an entry point was told. Fields are the table's rows, in its order."""

    home: Path
    workspace: str
    data_dir: tuple[Path, ...]
    read_dir: tuple[Path, ...]
    upload_max_mb: int
    unpacked_max_mb: int
    data_url: str
    offline: bool
    download_timeout_s: float
    service_port: int
    service_host: str
    service_tls_cert: str
    service_tls_key: str
    service_allow_http: bool
    service_names: str
    app_port: int
    reconcile_s: float
    start_timeout_s: float
    threads: int
    memory_mb: int
    runs_max_concurrent: int
    runs_max_queued: int
    steps_max_concurrent: int
    step_log_max_mb: float
    step_outputs_max_mb: float
    runs_max_days: float
    notify_url: str
    notify_command: str
    alert_look_s: float
    segment_s: float
    records_max_days: float
    records_max_mb: float
    outcomes_max_days: float
    azure_config: str
    azure_subscription: str
    azure_resource_group: str
    azure_workspace: str
    azure_credential: str
    azure_compute: str
    azure_compute_size: str
    azure_compute_nodes: int
    azure_instance_type: str
    azure_instances: int
    azure_notice: str
    otlp_url: str
    app_insights_connection: str


def read_settings(environ: Mapping[str, str], **overrides: str | None) -> Settings:
    """The settings from environment variables, `overrides` (by name, None meaning not given) first.

    Raises SpecInvalid for a value that is not of the setting's type.
    """
    values = {
        s.name: _parse(s, given if (given := overrides.get(s.name)) is not None else _read(environ, s)) for s in TABLE
    }
    values["home"] = Path(str(values["home"])).expanduser().absolute()
    for name in ("data_dir", "read_dir"):
        values[name] = tuple(Path(p).expanduser().absolute() for p in str(values[name]).split(":") if p)
    return Settings(**values)  # type: ignore[arg-type]  # the table fixes each type; test_settings checks them


def _read(environ: Mapping[str, str], setting: Setting) -> str | None:
    return environ.get(setting.variable) or environ.get(setting.also)


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that make a child process read the same settings."""
    environ = {}
    for setting in TABLE:
        value = getattr(settings, setting.name)
        if isinstance(value, bool):
            value = int(value)
        elif isinstance(value, tuple):
            value = ":".join(str(p) for p in value)
        environ[setting.variable] = str(value)
    return environ


def _parse(setting: Setting, text: str | None) -> object:
    if text is None or text == "":
        return setting.default
    kind = type(setting.default)
    if kind is bool:
        if text.lower() in ("0", "1", "true", "false"):
            return text.lower() in ("1", "true")
        raise SpecInvalid(f"{setting.variable} is '{text}', expected 0 or 1")
    try:
        return kind(text)
    except ValueError as e:
        raise SpecInvalid(
            f"{setting.variable} is '{text}', expected {setting.unit}", hint=f"The default is {setting.default}"
        ) from e
