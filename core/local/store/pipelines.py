"""Published pipelines: definitions by name and version, and what all versions of a name share."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from core.domain.endpoint import EndpointKeys
from core.domain.errors import Conflict, PipelineNotFound, SpecInvalid
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.local.store.bodies import decode, encode
from core.local.store.db import Access, Row
from core.local.store.facts import Facts

_ALL = (
    "SELECT p.id, p.name, p.version, p.label, p.spec, p.created_at, n.enabled, n.default_version "
    "FROM pipelines p JOIN pipeline_names n USING (name)"
)
_AT_VERSION = "name = ?1 AND p.version = iif(?2 = 0, n.default_version, ?2)"
KEYS = ("primary", "secondary")
REVISION = "runs_revision"
"""The fact that grows with every change of runs, steps and pipelines."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication gave: the version's id, and whether it is new."""

    id: str
    new: bool


class Pipelines:
    """Definitions by name and version, each with an id of its own."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def publish(self, pipeline_id: str, spec: PipelineSpec, label: str, keys: EndpointKeys, now: float) -> Published:
        """The definition as the next version of its name and its default; the default's again gives that one.

        `keys` are those of a new name. Raises Conflict for a label that another version has.
        """
        with self._db.write() as tx:
            default = tx.row(f"{_ALL} WHERE name = ? AND p.version = n.default_version", spec.name)
            if default is not None and _spec(default) == spec and label in ("", default["label"]):
                return Published(default["id"], new=False)
            if label and (taken := tx.row("SELECT * FROM pipelines WHERE name = ? AND label = ?", spec.name, label)):
                raise Conflict(
                    f"Version {taken['version']} of pipeline '{spec.name}' is labeled '{label}' already",
                    hint="Publish under another --version",
                )
            newest = tx.row("SELECT max(version) AS version FROM pipelines WHERE name = ?", spec.name)
            version = (newest["version"] if newest and newest["version"] else 0) + 1
            tx.execute(
                "INSERT INTO pipelines (id, name, version, spec, created_at, label) VALUES (?, ?, ?, ?, ?, ?)",
                *(pipeline_id, spec.name, version, encode(spec), now, label or str(version)),
            )
            tx.execute(
                "INSERT INTO pipeline_names (name, default_version, primary_key, secondary_key) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET default_version = excluded.default_version",
                *(spec.name, version, keys.primary, keys.secondary),
            )
            changed(tx)
            return Published(pipeline_id, new=True)

    def list(self, root: str = "") -> tuple[PipelineEndpoint, ...]:
        """Each at its default version, the newest publication first; `root` is the address of the service's door."""
        rows = self._db.rows(f"{_ALL} WHERE p.version = n.default_version ORDER BY p.created_at DESC, p.id DESC")
        return tuple(_endpoint(row, root) for row in rows)

    def versions(self, pipeline: str, root: str = "") -> tuple[PipelineEndpoint, ...]:
        """All versions of a pipeline (name, or a version's id), newest first. Raises PipelineNotFound."""
        name = self.get(pipeline).name
        rows = self._db.rows(f"{_ALL} WHERE name = ? ORDER BY p.version DESC", name)
        return tuple(_endpoint(row, root) for row in rows)

    def get(self, pipeline: str, root: str = "", version: int = 0) -> PipelineEndpoint:
        """By a version's id, or by name at a version (0: the default). Raises PipelineNotFound."""
        row = self._db.row(f"{_ALL} WHERE p.id = ?", pipeline)
        if row is None or (version and row["version"] != version):
            name = row["name"] if row is not None else pipeline
            row = self._db.row(f"{_ALL} WHERE {_AT_VERSION}", name, version)
        if row is None:
            raise self._missing(pipeline, version)
        return _endpoint(row, root)

    def _missing(self, pipeline: str, version: int) -> PipelineNotFound:
        rows = self._db.rows("SELECT name, group_concat(version) AS versions FROM pipelines GROUP BY name")
        known = {row["name"]: row["versions"] for row in rows}
        if version and pipeline in known:
            return PipelineNotFound(
                f"Pipeline '{pipeline}' has no version {version}", hint=f"It has: {known[pipeline]}"
            )
        return PipelineNotFound(
            f"There is no pipeline '{pipeline}'", hint=f"Published: {', '.join(sorted(known)) or 'none yet'}"
        )

    def set_default(self, name: str, version: int) -> None:
        """Let a version that is there run where none is named."""
        with self._db.write() as tx:
            tx.execute("UPDATE pipeline_names SET default_version = ? WHERE name = ?", version, name)
            changed(tx)

    def enable(self, name: str, enabled: bool) -> None:
        """Let a name start runs, or refuse them."""
        with self._db.write() as tx:
            tx.execute("UPDATE pipeline_names SET enabled = ? WHERE name = ?", int(enabled), name)
            changed(tx)

    def keys(self, name: str) -> EndpointKeys:
        """Both keys of a name that is there."""
        row = self._db.row("SELECT primary_key, secondary_key FROM pipeline_names WHERE name = ?", name)
        assert row is not None
        return EndpointKeys(row["primary_key"], row["secondary_key"])

    def all_keys(self) -> tuple[tuple[str, EndpointKeys], ...]:
        """The keys of every name."""
        rows = self._db.rows("SELECT name, primary_key, secondary_key FROM pipeline_names")
        return tuple((row["name"], EndpointKeys(row["primary_key"], row["secondary_key"])) for row in rows)

    def rotate_key(self, name: str, which: str, key: str) -> EndpointKeys:
        """Replace one key. Raises SpecInvalid for another than `primary` and `secondary`."""
        if which not in KEYS:
            raise SpecInvalid(f"There is no key '{which}'", hint="primary or secondary")
        with self._db.write() as tx:
            tx.execute(f"UPDATE pipeline_names SET {which}_key = ? WHERE name = ?", key, name)  # noqa: S608 - one of KEYS
        return self.keys(name)


def changed(tx: Access) -> None:
    """Note that runs or pipelines are not what they were."""
    facts = Facts(tx)
    facts.set(REVISION, str(int(facts.get(REVISION) or 0) + 1))


def _spec(row: Row) -> PipelineSpec:
    return decode(row["spec"], PipelineSpec, f"pipeline '{row['name']}', version {row['version']}")


def _endpoint(row: Row, root: str) -> PipelineEndpoint:
    version, default = row["version"], row["version"] == row["default_version"]
    made = PipelineEndpoint(
        id=row["id"],
        name=row["name"],
        version=version,
        spec=_spec(row),
        trigger_uri=f"{root}/pipelines/{quote(row['name'], safe='')}/jobs",
        enabled=bool(row["enabled"]),
        created_at=row["created_at"],
        label=row["label"] or str(version),
        default=default,
    )
    return made if default else replace(made, trigger_uri=f"{made.trigger_uri}?version={version}")
