"""An AutoML job as it is accepted."""

from dataclasses import replace

from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_settings, automl_tags
from core.emulator.jobs.runs import Run
from core.emulator.jobs.shapes import common
from core.emulator.messages import Document


def made(emulation: Emulation, name: str, sent: Document) -> tuple[Document, Run]:
    """Its properties as Azure shows them, and its run. Raises AzureError 400 for settings that make no sense."""
    task = automl_settings.shown(sent.get("taskDetails") or {})
    asked = automl_settings.read(task)
    properties = common(emulation, name, sent) | {
        "resources": {
            "instanceCount": 1,
            "instanceType": None,
            "properties": None,
            "shmSize": "2g",
            "dockerArgs": None,
            **(sent.get("resources") or {}),
        },
        "environmentId": sent.get("environmentId"),
        "environmentVariables": sent.get("environmentVariables"),
        "queueSettings": sent.get("queueSettings"),
        "taskDetails": task,
        "outputs": sent.get("outputs") or {},
    }
    run = Run(
        id=name,
        experiment=properties["experimentName"],
        kind="automl",
        created_at=emulation.clock.now(),
        display_name=properties["displayName"],
        description=properties["description"],
        tags=properties["tags"] | automl_tags.parent_tags(emulation, asked),
        properties=properties["properties"],
        compute=(properties["computeId"] or "").rpartition("/")[2],
        archived=properties["isArchived"],
        local={"task": task},
    )
    described = automl_tags.parent_properties(emulation, run, asked)
    return properties, replace(run, properties={**described, **run.properties})
