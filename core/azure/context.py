"""What the collections of a workspace on Azure share."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from core.azure import sdk
from core.azure.credentials import credential
from core.azure.errors import translated
from core.azure.here import Here, launcher
from core.azure.target import Target, read_target
from core.settings import Settings

ARM_SCOPE = "https://management.azure.com/.default"
ML_SCOPE = "https://ml.azure.com/.default"
"""Of the data planes: run history, MLflow's tracking, batch endpoints. Its token's `aud` must be https://ml.azure.com."""
TIMEOUT_S = 60.0
TRIES = 3
PASSING = frozenset({429, 500, 502, 503, 504})
"""What is asked again when nothing is changed by it, as the SDK does too."""
WAIT_MAX_S = 10.0
TAG = "slipway"
"""Everything that Slipway makes carries this tag, with its version as the value, so that a teardown finds it."""


class Context:
    """Settings, clock, client and caches of one workspace of Azure ML. Making one does no input or output.

    Only names are kept here and in the workspace folder; the state of everything is read from Azure.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        environ: Mapping[str, str] = os.environ,
        *,
        confined: bool = False,
    ) -> None:
        self.settings, self.clock, self.environ, self.confined = settings, clock, environ, confined
        sdk.loading()

    @cached_property
    def target(self) -> Target:
        """Which workspace is meant. Raises SpecInvalid."""
        return read_target(self.settings)

    @cached_property
    def folder(self) -> Path:
        """What this machine keeps of the workspace: caches, and the jobs that run here."""
        folder = self.settings.home / "azure" / self.target.folder_name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    @cached_property
    def here(self) -> Here:
        """The jobs that this machine does for the workspace."""
        return Here(self.folder / "jobs", self.clock, launcher(self.settings, self.environ))

    @cached_property
    def credential(self) -> Any:
        """Of azure-identity, by the way that the settings name."""
        return credential(self.settings.azure_credential, self.environ)

    @cached_property
    def client(self) -> Any:
        """The SDK's MLClient; making it does no input or output."""
        return sdk.module("azure.ai.ml").MLClient(
            self.credential,
            self.target.subscription,
            self.target.resource_group,
            self.target.workspace,
            enable_telemetry=False,
            show_progress=False,
        )

    @contextmanager
    def asking(self, noun: str = "", name: str = "") -> Iterator[Any]:
        """The client, to ask for a thing of this noun and name; Azure's errors become ours."""
        with translated(noun, name):
            yield self.client

    @cached_property
    def workspace_document(self) -> Any:
        """The workspace as Azure describes it: region, storage, Application Insights."""
        with self.asking() as client:
            return client.workspaces.get(self.target.workspace)

    @property
    def region(self) -> str:
        return str(self.workspace_document.location)

    def token(self, scope: str = ARM_SCOPE) -> str:
        """A bearer token; the credential keeps it until it expires."""
        with translated():
            return str(self.credential.get_token(scope).token)

    @cached_property
    def _sender(self) -> httpx.Client:
        """Keeps its connections: a request costs no handshake of its own."""
        return httpx.Client()

    def http(
        self, method: str, url: str, *, scope: str = "", timeout_s: float = TIMEOUT_S, **sent: Any
    ) -> httpx.Response:
        """One request outside the SDK, with a token where a scope is named. An answer of any status is an answer.

        Raises ServiceUnavailable when nothing answers.
        """
        headers = dict(sent.pop("headers", {}))
        if scope:
            headers["authorization"] = f"Bearer {self.token(scope)}"
        tries = TRIES if scope and method == "GET" else 1
        with translated():
            for left in reversed(range(tries)):
                try:
                    reply = self._sender.request(method, url, headers=headers, timeout=timeout_s, **sent)
                except httpx.TransportError:
                    if left:  # a connection that was kept may have been closed there meanwhile
                        continue
                    raise
                if not left or reply.status_code not in PASSING or (wait := _asked_wait_s(reply)) > WAIT_MAX_S:
                    return reply
                time.sleep(wait)
        raise AssertionError


def _asked_wait_s(reply: httpx.Response) -> float:
    """How long Azure asks to wait, or a second."""
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(reply.headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return 1.0
