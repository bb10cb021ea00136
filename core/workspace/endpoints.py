"""Online endpoints: deployments, traffic, keys, and the way in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.domain.autoscale import Autoscale
from core.domain.endpoint import Deployment, DeploymentSpec, Endpoint, EndpointKeys, EndpointSpec, ScoreReply
from core.domain.job import LogLine
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.workspace.collection import Collection


class Endpoints(Collection):
    """Online endpoints: deployments, traffic, keys, and the way in."""

    noun = "endpoints"

    def create(self, spec: EndpointSpec) -> Endpoint:
        """Create an endpoint with keys and no deployment.

        Raises Conflict when it exists (PortInUse where its address is taken), SpecInvalid for an address that this
        backend cannot listen at, or does not let anybody choose.
        """
        self._cannot("create")

    def update(self, name: str, changes: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None) -> Endpoint:
        """Change the limits that are named, and no others; only while those that are `expected` are as they are there.

        Raises EndpointNotFound, SpecInvalid for one that is no limit or has no such value, StateChanged.
        """
        self._cannot("update")

    def list(self) -> tuple[Endpoint, ...]:
        """All endpoints."""
        self._cannot("list")

    def get(self, name: str) -> Endpoint:
        """The endpoint as it is now, its deployments oldest first. Raises EndpointNotFound."""
        self._cannot("get")

    def deploy(self, spec: DeploymentSpec) -> Deployment:
        """Put a model behind an endpoint with 0 % traffic and queue its gate, in one transaction.

        The endpoint is created when it is absent. When this gate passes while the traffic map is empty (nobody has
        given or taken any), the deployment gets 100 %. What is returned names the gate's job (`gate_job_id`). The same
        name and model again gives what is there; a name with another model, and an endpoint that is being deleted,
        raise Conflict. Raises ModelNotFound.
        """
        self._cannot("deploy")

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Remove a deployment. Raises EndpointNotFound, Conflict while it has traffic or is mirrored to."""
        self._cannot("delete_deployment")

    def delete(self, name: str) -> None:
        """Stop and remove an endpoint, its deployments, keys and telemetry; jobs and reports stay.

        It may be listed as `deleting` for a while; its name is free once it is gone. Raises EndpointNotFound.
        """
        self._cannot("delete")

    def set_traffic(
        self,
        endpoint: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        *,
        force: bool = False,
        by: str = "",
        expected: Mapping[str, int] | None = None,
    ) -> Endpoint:
        """Give each deployment its percent: they sum to 0 or 100, mirrored ones to at most 50. None leaves the mirror.

        A deployment that is not named gets none. The change is in force when the endpoint is `settled`. Where the
        traffic that the caller has seen is given as `expected` and is not that any more, nothing is changed. Raises
        StateChanged then, EndpointNotFound for a name in either map that is no deployment's, and GateRefused for one
        that is not `proven`, unless `force`d by somebody named in `by`.
        """
        self._cannot("set_traffic")

    def autoscale(self, endpoint: str, deployment: str) -> Autoscale | None:
        """How a deployment gets and loses instances; None where their number is fixed. Raises EndpointNotFound."""
        self._cannot("autoscale")

    def set_autoscale(self, endpoint: str, deployment: str, autoscale: Autoscale | None) -> None:
        """Let a deployment get and lose instances between two bounds; None fixes the number that it has now.

        It goes with its deployment. Raises EndpointNotFound, SpecInvalid for bounds that the backend does not have.
        """
        self._cannot("set_autoscale")

    def keys(self, name: str) -> EndpointKeys:
        """Both keys. Raises EndpointNotFound."""
        self._cannot("keys")

    def rotate_key(self, name: str, which: str) -> EndpointKeys:
        """Replace the `primary` or `secondary` key, and give both; in force within a second or so.

        Raises EndpointNotFound, SpecInvalid for another key.
        """
        self._cannot("rotate_key")

    def target(self, name: str, origin: Origin) -> Target:
        """Where a sender of ours sends, with the key that records its requests under `origin`; it is shown to nobody.

        Raises EndpointNotFound.
        """
        self._cannot("target")

    def invoke(self, name: str, body: bytes, *, deployment: str = "", origin: Origin = Origin.CLIENT) -> ScoreReply:
        """Send a body to the endpoint over HTTP with its key, as any client would, and give whatever it answers.

        A refusal, whatever its status, is an answer and raises nothing. Header names are in lower case; among them
        are `x-request-id` and, where a deployment has answered, `azureml-model-deployment`. It counts as a client's
        request unless `origin` says otherwise. Raises EndpointNotFound, ServiceUnavailable when nothing listens.
        """
        self._cannot("invoke")

    def swagger(self, name: str, version: str = "2") -> Mapping[str, Any]:
        """The document that the endpoint publishes ("2", "3" or "3.1"). Raises EndpointNotFound, ServiceUnavailable."""
        self._cannot("swagger")

    def package(self, name: str, folder: Path, *, deployment: str = "") -> Path:
        """Write a self-contained folder that serves the deployment elsewhere (empty: the one with most traffic).

        Gives `folder`, on this machine. Raises EndpointNotFound, Conflict when it holds anything already or nothing is
        deployed.
        """
        self._cannot("package")

    def logs(self, name: str, limit: int = 1000, *, level: str = "", request_id: str = "") -> tuple[LogLine, ...]:
        """The last `limit` lines of the server's log, oldest first; of at least `level`, and of one request.

        Levels are debug, info, warning, error and critical; an empty one lets all through. Raises EndpointNotFound,
        SpecInvalid for another level.
        """
        self._cannot("logs")
