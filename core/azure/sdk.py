"""The one place that loads Azure's SDK: seconds of work, done in a thread of its own and once.

`azure-ai-ml` writes environment variables and greets with warnings; whoever only uses this machine never pays for it.
"""

import logging
import threading
import warnings
from functools import cache
from importlib import import_module
from typing import Any

from core.domain.errors import BackendMissing

_MODULES = ("azure.ai.ml", "azure.ai.ml.entities", "azure.ai.ml.automl", "azure.identity")
_LOGGERS = ("azure", "msal", "msrest")
"""What they warn of reaches a person as an error of ours, or concerns whoever programs with them."""
_PRINTING = (
    "azure.ai.ml._artifacts._blob_storage_helper",
    "azure.ai.ml._artifacts._gen2_storage_helper",
    "azure.ai.ml.operations._schedule_operations",
)
"""They print colors, and what they could not read, where nobody has asked for it."""


class _Loading:
    """The import, begun in the background; whoever needs it waits for its end."""

    def __init__(self) -> None:
        self._error: ImportError | None = None
        self._thread = threading.Thread(target=self._load, name="azure-sdk", daemon=True)
        self._thread.start()

    def _load(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for name in _LOGGERS:  # some warn while they are imported
                    logging.getLogger(name).setLevel(logging.ERROR)
                for name in _MODULES:
                    import_module(name)
                self._silence()
        except ImportError as e:
            self._error = e

    @staticmethod
    def _silence() -> None:
        """Nothing of it reaches standard output or standard error, where a command prints JSON and one sentence."""
        told = logging.getLogger("azure.ai.ml._telemetry")  # every call, and every failure at length
        told.addHandler(logging.NullHandler())
        told.propagate = False
        for name in _PRINTING:
            import_module(name).__dict__["print"] = _say_nothing
        polling = import_module("azure.ai.ml._utils._azureml_polling")
        polling.AzureMLPolling.update_status = polling.ARMPolling.update_status

    def wait(self) -> None:
        self._thread.join()
        if self._error:
            raise BackendMissing(f"The workspace 'azure' needs {self._error.name}", hint="make setup") from self._error


def _say_nothing(*said: object, **how: object) -> None:
    """In the place of `print` in modules of the SDK."""


@cache
def loading() -> _Loading:
    """Begin to load the SDK, and come back at once."""
    return _Loading()


def module(name: str) -> Any:
    """A module of the SDK, such as `azure.ai.ml.entities`; waits until it is loaded. Raises BackendMissing."""
    loading().wait()
    return import_module(name)
