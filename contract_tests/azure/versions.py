"""Which version of the schemas a version of the API is checked against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contract_tests.azure.arm import Arm, arm
from contract_tests.azure.bicep import Bicep, bicep
from contract_tests.azure.swagger import Swagger, swagger

NEAREST: Mapping[str, tuple[str, str]] = {
    "2020-09-01-dataplanepreview": ("2022-05-01", "batch endpoints' own hosts speak it; no schema of it is public"),
    "2021-10-01-dataplanepreview": ("2023-04-01", "registries' own hosts speak it; no schema of it is public"),
    "2021-10-01": ("2022-05-01", "the first general one; old recordings have it"),
    "2022-06-01-preview": ("2022-10-01", "between 2022-05-01 and 2022-10-01; recordings of 2022 have it"),
    "2022-10-01-preview": ("2023-02-01-preview", "older releases sent it for jobs and workspaces"),
    "2022-12-01-preview": ("2023-02-01-preview", "older releases sent it for workspaces"),
    "2023-07-01-preview": ("2023-08-01-preview", "connections of older releases"),
    "2024-07-01-preview": ("2024-10-01-preview", "workspaces and connections of late releases"),
    "2024-10-01": ("2024-10-01-preview", "the general one of the same date"),
    "2025-01-01-preview": ("2024-10-01-preview", "azure-ai-ml 1.35 sends it for jobs and for schedules of jobs"),
    "2022-05-01": ("2022-10-01", "of this one only what may be PUT is known; answers are compared with the next"),
}
"""Version that clients send -> (version to compare with, why). Where a version has schemas of its own, these count."""


@dataclass(frozen=True)
class Version:
    """The schemas of one version; what it lacks is None."""

    name: str
    arm: Arm | None
    bicep: Bicep | None
    swagger: Swagger | None


@dataclass
class Schemas:
    """All versions in a folder."""

    folder: Path
    _known: dict[str, Version | None] = field(default_factory=dict)

    def version(self, name: str) -> Version | None:
        """What to compare with; None for a version that neither has schemas nor stands in the table."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Version | None:
        near = NEAREST.get(name, ("", ""))[0]
        own = [self._of(each) for each in (name, near) if each]
        found = [each for each in own if each.arm or each.bicep or each.swagger]
        if not found:
            return None
        shapes = next((each for each in found if each.bicep or each.swagger), found[0])
        body = next((each for each in found if each.arm), found[0])
        return Version(found[0].name, body.arm, shapes.bicep, shapes.swagger)

    def _of(self, name: str) -> Version:
        numbers = self._numbers()
        bodies, types = self.folder / "arm" / f"{name}.json", self.folder / "bicep" / f"{name}.json"
        documents = tuple(sorted((self.folder / "swagger").glob(f"{name}-m*.json")))
        return Version(
            name,
            arm(bodies, numbers) if bodies.exists() else None,
            bicep(types, numbers) if types.exists() else None,
            swagger(documents) if documents else None,
        )

    def _numbers(self) -> frozenset[str]:
        """What the schemas made for templates, which know integers alone, do not say."""
        return frozenset(swagger(tuple(sorted((self.folder / "swagger").glob("*.json")))).numbers())
