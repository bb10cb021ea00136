"""A filled workspace: the Bank Marketing lifecycle, some minutes after it went live."""

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fakes import FakeWorkspace

from core.definitions import shipped
from core.domain.data import (
    Bin,
    ColumnKind,
    ColumnProfile,
    ColumnRole,
    DataAsset,
    DataRef,
    DataSource,
    Level,
    TableProfile,
    TableSample,
)
from core.domain.endpoint import (
    Deployment,
    DeploymentState,
    Endpoint,
    EndpointLimits,
    EndpointState,
    GateBudget,
    GateState,
)
from core.domain.job import Job, JobKind, JobSpec, JobState, LogLine
from core.domain.model import Model
from core.domain.monitoring import DeploymentTraffic, RequestRecord, TelemetryBucket, TelemetrySummary
from core.domain.pipeline import PipelineEndpoint, StepKind
from core.domain.proof import CheckResult, GateReport, GateSpec, LoadReport
from core.domain.run import PipelineRun, RunOrigin, StepRun, StepState
from core.domain.schedule import Fire, FireOutcome, Schedule, ScheduleSpec
from core.domain.signature import Column, Signature
from core.domain.training import (
    Algorithm,
    BestTrial,
    Guardrail,
    GuardrailState,
    TrainingResult,
    TrainingSpec,
    Trial,
    TrialState,
)

NIGHTLY = ScheduleSpec("nightly", "Bankmarketing Train", cron="0 6 * * mon-fri", timezone="Europe/Berlin")

INTEGERS: Mapping[str, tuple[float, float, int]] = {
    "age": (17, 98, 38),
    "duration": (0, 4918, 179),
    "campaign": (1, 56, 2),
    "pdays": (0, 999, 999),
    "previous": (0, 7, 0),
}
NUMBERS: Mapping[str, tuple[float, float, float]] = {
    "emp.var.rate": (-3.4, 1.4, 1.1),
    "cons.price.idx": (92.201, 94.767, 93.749),
    "cons.conf.idx": (-50.8, -26.9, -41.8),
    "euribor3m": (0.634, 5.045, 4.857),
    "nr.employed": (4963.6, 5228.1, 5191.0),
}
TEXTS: Mapping[str, tuple[str, ...]] = {
    "job": ("admin.", "blue-collar", "entrepreneur", "management", "retired", "services", "student", "technician"),
    "marital": ("divorced", "married", "single", "unknown"),
    "education": ("basic.4y", "basic.9y", "high.school", "professional.course", "university.degree", "unknown"),
    "default": ("no", "unknown", "yes"),
    "housing": ("no", "unknown", "yes"),
    "loan": ("no", "unknown", "yes"),
    "contact": ("cellular", "telephone"),
    "month": ("apr", "aug", "dec", "jul", "jun", "mar", "may", "nov", "oct", "sep"),
    "day_of_week": ("fri", "mon", "thu", "tue", "wed"),
    "poutcome": ("failure", "nonexistent", "success"),
}
ORDER = (
    "age", "job", "marital", "education", "default", "housing", "loan", "contact", "month", "day_of_week", "duration",
    "campaign", "pdays", "previous", "poutcome", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m",
    "nr.employed",
)  # fmt: skip
ROWS = 32_950
REF = DataRef("bankmarketing-train", 1)
AUTOML_ID, RUNNING_ID, GATE_ID, RUN_ID = (f"0199a3f0-7c1{n}-7d2e-9a41-5be0c2d4f10{n}" for n in range(4))
LEAK = "'duration' is known only after the call has ended: this model cannot choose whom to call."


def signature() -> Signature:
    columns = []
    for name in ORDER:
        if name in TEXTS:
            levels = TEXTS[name]
            columns.append(Column(name, ColumnKind.STRING, name == "poutcome", levels, True, levels[0]))
        elif name in INTEGERS:
            low, high, typical = INTEGERS[name]
            columns.append(Column(name, ColumnKind.INTEGER, False, typical=typical, low=low, high=high))
        else:
            low, high, middle = NUMBERS[name]
            columns.append(Column(name, ColumnKind.NUMBER, name == "euribor3m", typical=middle, low=low, high=high))
    return Signature(tuple(columns), "y", ("no", "yes"), "yes")


def profile(rng: random.Random) -> TableProfile:
    columns = [_text(rng, n) if n in TEXTS else _numeric(rng, n) for n in ORDER]
    levels = (Level("no", 29_258, 0.0), Level("yes", 3_692, 1.0))
    target = ColumnProfile("y", ColumnKind.STRING, ColumnRole.FEATURE, ROWS, 0, 2, levels=levels, typical="no")
    return TableProfile(ROWS, (*columns, target))


def _text(rng: random.Random, name: str) -> ColumnProfile:
    weights = [rng.expovariate(1) + 0.05 for _ in TEXTS[name]]
    levels = sorted(
        (
            Level(v, int(ROWS * w / sum(weights)), rng.uniform(0.04, 0.4))
            for v, w in zip(TEXTS[name], weights, strict=True)
        ),
        key=lambda level: -level.count,
    )
    return ColumnProfile(
        name, ColumnKind.STRING, ColumnRole.FEATURE, ROWS, 0, len(levels), levels=tuple(levels), typical=levels[0].value
    )  # fmt: skip


def _numeric(rng: random.Random, name: str) -> ColumnProfile:
    low, high, middle = INTEGERS[name] if name in INTEGERS else NUMBERS[name]
    step = (high - low) / 20
    bins = tuple(
        Bin(low + i * step, low + (i + 1) * step, int(6_000 * rng.random() / (1 + abs(low + i * step - middle) / step)))
        for i in range(20)
    )
    return ColumnProfile(
        name,
        ColumnKind.INTEGER if name in INTEGERS else ColumnKind.NUMBER,
        ColumnRole.FEATURE,
        ROWS,
        412 if name == "euribor3m" else 0,
        76,
        low=low,
        high=high,
        mean=(low + high) / 2,
        std=(high - low) / 6,
        quantiles=tuple(low + (high - low) * q for q in (0.05, 0.25, 0.5, 0.75, 0.95)),
        histogram=bins,
        typical=middle,
    )


def trials(now: float, count: int = 9) -> list[Trial]:
    """`count` trials, the last one still running when there are fewer than nine."""
    plan = [
        (Algorithm.LIGHTGBM, 0.9451, 4.1), (Algorithm.LOGISTIC_REGRESSION, 0.9348, 1.9),
        (Algorithm.XGBOOST, 0.9439, 5.2), (Algorithm.EXTRA_TREES, 0.9402, 7.7), (Algorithm.LIGHTGBM, 0.9466, 5.0),
        (Algorithm.XGBOOST, 0.9471, 6.3), (Algorithm.LIGHTGBM, 0.0, 1.2), (Algorithm.LIGHTGBM, 0.9479, 5.5),
        (Algorithm.VOTING_ENSEMBLE, 0.9492, 0.4),
    ]  # fmt: skip
    made, at = [], now - 60
    for number, (algorithm, auc, lasted) in enumerate(plan[:count]):
        metrics = {
            "AUC_weighted": auc,
            "accuracy": auc - 0.031,
            "log_loss": 1.12 - auc,
            "f1_score_weighted": auc - 0.04,
        }
        failed = auc == 0
        made.append(
            Trial(
                number,
                algorithm,
                TrialState.FAILED if failed else TrialState.SUCCEEDED,
                {"n_estimators": 100 + 50 * number, "learning_rate": 0.05, "num_leaves": 31, "min_child_samples": 20},
                {} if failed else metrics,
                at,
                lasted,
                "The trial needed more than 4,096 MB and was stopped" if failed else "",
                (7, 5, 4) if algorithm is Algorithm.VOTING_ENSEMBLE else (),
            )
        )  # fmt: skip
        at += lasted
    if count < len(plan):
        made.append(Trial(count, plan[count][0], TrialState.RUNNING, {"num_leaves": 63}, {}, at))
    return made


def job(kind: JobKind, state: JobState, job_id: str, now: float, spec: JobSpec, **more: Any) -> Job:
    ended = now - 300 if state.final else None
    return Job(
        job_id,
        kind,
        state,
        more.pop("experiment", "bank-marketing"),
        "local",
        spec,
        now - 400,
        now - 370,
        ended,
        1,
        **more,
    )


TRAINING = TrainingSpec(REF, "y", experiment_name="bank-marketing")
RESULT = TrainingResult(
    BestTrial(8, Algorithm.VOTING_ENSEMBLE),
    notes=(LEAK,),
    guardrails=(
        Guardrail("missing_values", GuardrailState.DONE, "412 missing cells in 1 column are read as missing"),
        Guardrail("high_cardinality", GuardrailState.PASSED, "No column has more than 50 categories"),
        Guardrail("class_balance", GuardrailState.ALERTED, "The smallest class holds 11.2 % of the rows"),
    ),
)


def checks(red: bool = False) -> tuple[CheckResult, ...]:
    curl = """curl -s -X POST http://127.0.0.1:8701/score -H "Authorization: Bearer $SLIPWAY_KEY" -d '{"data": [{}]}'"""
    return (
        CheckResult("parity", "parity", True, "500 rows answered; largest difference 2.2e-16 (limit 1e-6)"),
        CheckResult("document_is_valid", "contract", True, "2, 3 and 3.1 validate"),
        CheckResult("status_code_conformance", "contract", True, "612 generated requests, every status documented"),
        CheckResult("response_schema_conformance", "contract", True, "612 replies match their schema"),
        CheckResult("order_is_kept", "semantic", True, "64 rows shuffled 5 times, answers follow their rows"),
        CheckResult(
            "missing_column_is_refused", "semantic", not red,
            "expected 400, got 200 for a row without 'age'" if red else "20 columns left out one by one: 20 x 400",
            curl if red else "",
        ),
        CheckResult("wrong_key_is_refused", "wire", True, "6 forged keys: 6 x 401"),
        CheckResult("chunked_body", "wire", None, "does not apply: the server is behind a proxy"),
        CheckResult("latency", "performance", True, "p99 2.9 ms (budget 50 ms), best of 3 windows"),
        CheckResult("throughput", "performance", True, "4,870 requests/s (budget 50), 2 rows, 4 clients"),
    )  # fmt: skip


def summary(now: float, rng: random.Random) -> TelemetrySummary:
    buckets = []
    for i in range(60):
        count = int(20 + 15 * rng.random() + (30 if i > 40 else 0))
        p50 = 1.1 + rng.random() * 0.4
        buckets.append(
            TelemetryBucket(
                now - 3600 + 60 * i, 60, count, 2 * count, int(rng.random() < 0.2) * 2, 0, p50, p50 * 1.9, p50 * 3
            )
        )
    total = sum(b.requests for b in buckets)
    bad = sum(b.client_errors for b in buckets)
    return TelemetrySummary(
        "bank-marketing", now - 3600, now, total, 2 * total, 1.3, 2.4, 3.9, {200: total - bad, 400: bad - 4, 401: 4},
        {"v3": DeploymentTraffic(total, 2 * total, bad, 0, 1.3, 2.4, 3.9)}, {"client": total, "loadtest": 17_000},
        tuple(buckets),
    )  # fmt: skip


def fill(fake: FakeWorkspace, now: float, *, source: DataSource = DataSource.FILE) -> FakeWorkspace:
    """Put the whole story into a fake."""
    rng = random.Random(7)
    asset = DataAsset(
        REF.name, 1, source, "data/bankmarketing_train.csv.xz", ROWS, (*ORDER, "y"), "8486deac" * 8, 612_000,
        now - 1800,
    )  # fmt: skip
    fake.assets = [asset]
    fake.profiles[REF] = profile(rng)
    fake.samples[REF] = TableSample(asset.columns, tuple(_row(rng) for _ in range(20)))
    _fill_jobs(fake, now)
    model = Model(
        "bank-marketing", 3, AUTOML_ID, 8, Algorithm.VOTING_ENSEMBLE, fake.job_trials[AUTOML_ID][8].metrics, REF,
        signature(), 2_400_000, now - 290,
    )  # fmt: skip
    fake.models = [model]
    deployment = Deployment(
        "v3", "bank-marketing", "bank-marketing", 3, DeploymentState.READY, GateState.PASSED, now - 280,
        gate_job_id=GATE_ID,
    )  # fmt: skip
    uri = "http://127.0.0.1:8701"
    fake.endpoints = [
        Endpoint(
            "bank-marketing", EndpointState.READY, f"{uri}/score", f"{uri}/swagger.json", {"v3": 100}, {},
            (deployment,), EndpointLimits(), now - 280, settled=True,
        )
    ]  # fmt: skip
    _fill_monitoring(fake, now, rng)
    _fill_pipelines(fake, now)
    return fake


def _row(rng: random.Random) -> tuple[str | int | float | bool | None, ...]:
    values: list[str | int | float | bool | None] = []
    for name in ORDER:
        if name in TEXTS:
            values.append(rng.choice(TEXTS[name]))
        elif name in INTEGERS:
            values.append(int(INTEGERS[name][2] * rng.uniform(0.5, 1.5)))
        else:
            values.append(round(NUMBERS[name][2] * rng.uniform(0.9, 1.1), 3))
    return (*values, rng.choice(("no", "no", "no", "yes")))


def _fill_jobs(fake: FakeWorkspace, now: float) -> None:
    running = job(
        JobKind.AUTOML, JobState.RUNNING, RUNNING_ID, now, replace(TRAINING, timeout_s=120.0), experiment="nightly"
    )
    fake.jobs = [
        Job(**{**_fields(running), "created_at": now - 40, "started_at": now - 38}),
        job(
            JobKind.GATE,
            JobState.SUCCEEDED,
            GATE_ID,
            now,
            GateSpec("bank-marketing", "v3"),
            experiment="gate",
        ),
        job(JobKind.AUTOML, JobState.SUCCEEDED, AUTOML_ID, now, TRAINING, result=RESULT),
    ]
    fake.job_trials[AUTOML_ID] = trials(now - 300)
    fake.job_trials[RUNNING_ID] = trials(now + 22, 4)
    fake.logs[GATE_ID] = [LogLine(now - 290, "info", "parity: passed"), LogLine(now - 280, "info", "contract: passed")]


def _fields(value: Job) -> dict[str, Any]:
    return {name: getattr(value, name) for name in Job.__dataclass_fields__}


def _fill_monitoring(fake: FakeWorkspace, now: float, rng: random.Random) -> None:
    fake.summaries["bank-marketing"] = summary(now, rng)
    fake.records["bank-marketing"] = [
        RequestRecord(
            now - 3 * i, f"5b1c{i:04x}-2f0e-4c1b", "v3", 400 if i % 9 == 4 else 200, 2, 1 + rng.random() * 3, 812, 33
        )
        for i in range(40)
    ]
    fake.logs["bank-marketing"] = [
        LogLine(now - 280, "info", "listening on 127.0.0.1:8701, 1 worker"),
        LogLine(now - 279, "info", "deployment v3: bank-marketing:3 loaded in 0.09 s"),
    ]
    fake.gates = [
        GateReport(
            "g-2", "bank-marketing", "v3", "bank-marketing:3", checks(), GateBudget(), "default", now - 270, 24.8
        ),
        GateReport(
            "g-1",
            "bank-marketing",
            "v2",
            "bank-marketing:2",
            checks(red=True),
            GateBudget(),
            "default",
            now - 4000,
            23.1,
        ),
    ]
    fake.loads = [
        LoadReport(
            "http://127.0.0.1:8701",
            14_812,
            0,
            10.0,
            1481.2,
            0.67,
            0.61,
            1.1,
            2.4,
            9.8,
            1,
            2,
            {200: 14_812},
            "l-1",
            now - 600,
            endpoint="bank-marketing",
        )
    ]


def _fill_pipelines(fake: FakeWorkspace, now: float) -> None:
    fake.published = [
        PipelineEndpoint(
            "p-1", "Bankmarketing Train", 1, shipped()[0], "http://127.0.0.1:8700/pipelines/p-1", True, now - 900
        )
    ]
    spec = fake.published[0].spec
    rows = {"data": str(REF), "rows": 32_950, "source": "file"}
    found = {"job": AUTOML_ID, "metrics": {"AUC_weighted": 0.9492, "accuracy": 0.9182}, "trials": 9}
    prepared = StepRun("prepare", StepKind.PREPARE, StepState.SUCCEEDED, 1, note="32,950 rows", outputs=rows)
    trained = StepRun("automl", StepKind.AUTOML, StepState.SUCCEEDED, 1)
    kept = StepRun(
        "register", StepKind.REGISTER, StepState.SUCCEEDED, 1, note="Registered bank-marketing:3",
        outputs={"model": "bank-marketing:3"},
    )  # fmt: skip
    done = (
        replace(prepared, started_at=now - 800, ended_at=now - 799),
        replace(trained, started_at=now - 799, ended_at=now - 738, started_job_id=AUTOML_ID, outputs=found),
        replace(kept, started_at=now - 738, ended_at=now - 737),
    )
    going = (
        replace(
            prepared, started_at=now - 40, ended_at=now - 39, reused_from="r-1", why="reused: same inputs as run 1"
        ),
        replace(trained, state=StepState.RUNNING, started_at=now - 39, started_job_id=RUNNING_ID),
        StepRun("register", StepKind.REGISTER),
    )
    fake.runs = [
        PipelineRun(
            RUN_ID, "Bankmarketing Train", 1, "nightly", JobState.RUNNING, going, now - 41, number=2, spec=spec,
            parameters={**spec.defaults, "timeout_s": 120}, started_at=now - 41,
        ),
        PipelineRun(
            "r-1", "Bankmarketing Train", 1, "first", JobState.SUCCEEDED, done, now - 801, now - 737, number=1,
            spec=spec, parameters=spec.defaults, started_at=now - 800,
        ),
    ]  # fmt: skip


def nightly(fake: FakeWorkspace) -> None:
    """Put a schedule there, whose last run failed and whose last fire was skipped."""
    now = time.time()
    skipped = Fire("nightly", str(now - 60), now - 60, FireOutcome.SKIPPED, now - 59, message="Its last run goes on")
    fake.schedules["nightly"] = Schedule(
        NIGHTLY, True, (now + 3600.0,), "r-1", "every weekday at 06:00, Berlin time", now - 9000, skipped
    )
    fake.fires["nightly"] = [skipped, Fire("nightly", "now:r-1", now - 700, FireOutcome.STARTED, now - 700, "r-1")]
    last = next(run for run in fake.runs if run.id == "r-1")
    failed = replace(last, schedule="nightly", origin=RunOrigin.SCHEDULE, state=JobState.FAILED)
    fake.runs[fake.runs.index(last)] = failed


def two_deployments(fake: FakeWorkspace) -> None:
    """Put a second deployment, `v4`, beside the live one: proven, without traffic."""
    endpoint = fake.endpoints[0]
    waiting = replace(endpoint.deployments[0], name="v4", created_at=endpoint.created_at + 9)
    fake.endpoints = [replace(endpoint, deployments=(*endpoint.deployments, waiting))]
