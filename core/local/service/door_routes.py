"""The routes of the service's door: who may call each, and what it asks of the workspace."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import BinaryIO
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.domain.errors import JobNotFound, SpecInvalid
from core.domain.job import JobKind, JobState
from core.domain.plain import plain
from core.domain.run import PipelineRun, RunOrigin
from core.domain.version import VERSION
from core.local.service.door_answers import in_json
from core.local.service.door_bodies import Accepted, batch_job, body, decode
from core.local.service.door_document import LISTED_MAX, LOG_LINES_MAX, VERSION_MAX, Health, Poked, document
from core.local.service.door_guard import OPEN_PATHS, check_opens
from core.local.service.door_queries import only, repeat_key, whole
from core.workspace import Workspace

CHUNK_BYTES = 1 << 16

Handler = Callable[[Request], Awaitable[Response]]
Owner = Callable[[Request], str] | None
"""The pipeline whose key opens a route, beside the service's; None: no pipeline's."""


class Routes:
    """Each route's handler, over one workspace; `poke` lets the service look at once."""

    def __init__(self, workspace: Workspace, poke: Callable[[], None]) -> None:
        self._workspace, self._pipelines, self._poke = workspace, workspace.pipelines, poke

    def table(self) -> list[Route]:
        """All routes: a path, who may call it by which method, and what answers."""
        job = "/pipelines/{pipeline}/jobs/{id}"
        step = f"{job}/steps/{{step}}"
        rows: tuple[tuple[str, str, Owner, Handler], ...] = (
            ("GET", "/health", None, self.health),
            ("GET", "/openapi.json", None, self.document),
            ("GET", "/swagger.json", None, self.document),
            ("GET", "/pipelines", None, self.pipelines),
            ("GET", "/pipelines/{pipeline}", self._named, self.pipeline),
            ("POST", "/pipelines/{pipeline}", self._named, self.trigger),
            ("GET", "/pipelines/{pipeline}/jobs", self._named, self.runs),
            ("POST", "/pipelines/{pipeline}/jobs", self._named, self.trigger),
            ("GET", job, self._named, self.pipeline_run),
            ("POST", f"{job}/cancel", None, self.cancel_run),
            ("POST", f"{job}/retry", None, self.retry_run),
            ("GET", f"{step}/logs", self._named, self.step_log),
            ("GET", f"{step}/outputs/{{output}}", self._named, self.output),
            ("GET", "/runs/{id}", self._of_run, self.run),
            ("GET", "/jobs", None, self.jobs),
            ("GET", "/jobs/{id}", None, self.job),
            ("POST", "/jobs/{id}/cancel", None, self.cancel),
            ("POST", "/poke", None, self.poke),
        )
        found: dict[str, dict[str, tuple[Owner, Handler]]] = {}
        for method, path, owner, handler in rows:
            found.setdefault(path, {})[method] = (owner, handler)
        return [Route(path, _answering(path, by), methods=sorted(by)) for path, by in found.items()]

    # The service

    async def health(self, _: Request) -> Response:
        return in_json(Health("ok", VERSION))

    async def document(self, _: Request) -> Response:
        return in_json(document())

    async def poke(self, _: Request) -> Response:
        self._poke()
        return in_json(Poked())

    # Pipelines

    async def pipelines(self, _: Request) -> Response:
        return in_json(await run_in_threadpool(self._pipelines.list))

    async def pipeline(self, request: Request) -> Response:
        return in_json(await run_in_threadpool(self._pipelines.get, *_pipeline(request)))

    async def trigger(self, request: Request) -> Response:
        asked, key = decode(await body(request)), repeat_key(request)
        pipeline, version = _pipeline(request)

        def start() -> PipelineRun:
            found = self._pipelines.get(pipeline, version)
            return self._pipelines.trigger(
                pipeline,
                asked.experiment_name or found.name,
                asked.parameters(found.spec.parameters),
                version=version,
                origin=RunOrigin.REST,
                repeat_key=key,
            )

        run = await run_in_threadpool(start)
        self._poke()
        place = f"{request.url.scheme}://{request.url.netloc}/pipelines/{quote(run.pipeline, safe='')}/jobs/{run.id}"
        if asked.batch:
            return in_json(batch_job(run, accepted=True), 201, {"Location": place})
        return in_json(Accepted(run.id))

    # Runs

    async def runs(self, request: Request) -> Response:
        state, before = only(request, "state"), only(request, "before") or ""
        limit = whole(request, "limit", 50, LISTED_MAX)
        if state is not None and state not in list(JobState):
            raise SpecInvalid(f"There is no state '{state[:40]}'", hint=f"One of: {', '.join(JobState)}")
        wanted = None if state is None else JobState(state)

        def found() -> object:
            name = self._named(request)
            if before:
                self._run_of(name, before)
            return self._pipelines.list_runs(name, limit, state=wanted, before=before)

        return in_json(await run_in_threadpool(found))

    async def pipeline_run(self, request: Request) -> Response:
        run = await run_in_threadpool(self._asked, request)
        return in_json(plain(run) | msgspec.to_builtins(batch_job(run)))

    async def cancel_run(self, request: Request) -> Response:
        run = await run_in_threadpool(lambda: self._pipelines.cancel(self._asked(request).id))
        self._poke()
        return in_json(run)

    async def retry_run(self, request: Request) -> Response:
        run = await run_in_threadpool(lambda: self._pipelines.retry(self._asked(request).id))
        self._poke()
        return in_json(run)

    async def step_log(self, request: Request) -> Response:
        limit, step = whole(request, "limit", 1000, LOG_LINES_MAX), request.path_params["step"]
        lines = await run_in_threadpool(lambda: self._pipelines.step_log(self._asked(request).id, step, limit))
        return in_json(lines)

    async def output(self, request: Request) -> Response:
        step, output = request.path_params["step"], request.path_params["output"]
        file = await run_in_threadpool(lambda: self._pipelines.open_output(self._asked(request).id, step, output))
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(_chunks(file), headers=headers, media_type="application/octet-stream")

    async def run(self, request: Request) -> Response:
        return in_json(await run_in_threadpool(self._pipelines.get_run, request.path_params["id"]))

    # Jobs

    async def jobs(self, request: Request) -> Response:
        kind, limit = only(request, "kind"), whole(request, "limit", 100, LISTED_MAX)
        if kind is not None and kind not in list(JobKind):
            raise SpecInvalid(f"There is no job kind '{kind[:40]}'", hint=f"One of: {', '.join(JobKind)}")
        wanted = None if kind is None else JobKind(kind)
        return in_json(await run_in_threadpool(self._workspace.jobs.list, wanted, limit))

    async def job(self, request: Request) -> Response:
        return in_json(await run_in_threadpool(self._workspace.jobs.get, request.path_params["id"]))

    async def cancel(self, request: Request) -> Response:
        job = await run_in_threadpool(self._workspace.jobs.cancel, request.path_params["id"])
        self._poke()
        return in_json(job)

    # Whose it is

    def _named(self, request: Request) -> str:
        return self._pipelines.get(request.path_params["pipeline"]).name

    def _of_run(self, request: Request) -> str:
        return self._pipelines.get_run(request.path_params["id"]).pipeline

    def _asked(self, request: Request) -> PipelineRun:
        return self._run_of(self._named(request), request.path_params["id"])

    def _run_of(self, pipeline: str, run_id: str) -> PipelineRun:
        """A run of this pipeline; another's is as unknown here as one that is nowhere."""
        try:
            run = self._pipelines.get_run(run_id)
        except JobNotFound:
            run = None
        if run is None or run.pipeline != pipeline:
            raise JobNotFound(f"Pipeline '{pipeline}' has no run '{run_id[:100]}'", hint="GET its jobs for a list")
        return run


def _answering(path: str, by: Mapping[str, tuple[Owner, Handler]]) -> Handler:
    """What answers on a path: the right to it is looked at before anything else."""

    async def answer(request: Request) -> Response:
        owner, handler = by["GET" if request.method == "HEAD" else request.method]
        if path not in OPEN_PATHS:
            await check_opens(request, owner and (lambda: owner(request)))
        return await handler(request)

    return answer


def _pipeline(request: Request) -> tuple[str, int]:
    """What the path names, and the version that the query asks for; 0 is the default."""
    return request.path_params["pipeline"], whole(request, "version", 0, VERSION_MAX)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while chunk := await run_in_threadpool(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
