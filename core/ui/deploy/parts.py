"""The tabs under an endpoint: a file each, and an entry in the table here."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.domain.endpoint import Endpoint
from core.domain.model import Model
from core.ui.deploy import batch, consume, details, keys, loadtest, logs, swagger, traffic, tryit
from core.ui.kit import endpoints
from core.ui.kit.parts import Part
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Opened:
    """What the tabs show: an endpoint, and the model that answers for it, where there is one."""

    workspace: Workspace
    endpoint: Endpoint
    model: Model | None


def opened(workspace: Workspace, endpoint: Endpoint) -> Opened:
    """An endpoint as it is now."""
    return Opened(workspace, endpoint, endpoints.answering_model(endpoint))


def _always(show: Callable[[Workspace, Endpoint], None]) -> Callable[[Opened], None]:
    return lambda seen: show(seen.workspace, seen.endpoint)


def _with_model(show: Callable[[Workspace, Endpoint, Model], None]) -> Callable[[Opened], None]:
    """A tab that needs a model to say anything."""

    def draw(seen: Opened) -> None:
        if seen.model is None:
            st.caption("Deploy a model first.")
        else:
            show(seen.workspace, seen.endpoint, seen.model)

    return draw


TABS: tuple[Part[Opened], ...] = (
    Part("Test", _with_model(tryit.show), needs=("endpoints.invoke",)),
    Part("Traffic", _always(traffic.show)),
    Part("Batch", _with_model(batch.show), needs=("data.list", "jobs.list", "jobs.submit", "jobs.open_output")),
    Part("Consume", _with_model(consume.show)),
    Part("Swagger", _always(swagger.show)),
    Part("Keys", _always(keys.show), needs=("endpoints.keys",)),
    Part("Logs", _always(logs.show), needs=("endpoints.logs",)),
    Part("Load test", _always(loadtest.show), needs=("jobs.list", "proofs.load_reports")),
    Part("Details", _always(details.show)),
)
