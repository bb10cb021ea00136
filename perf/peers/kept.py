"""Results that outlive a run that was cut off: written after each measurement, taken up where circumstances agree."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perf.peers.comparison import Row

FORMAT = 2


@dataclass
class Kept:
    """One file of results: the circumstances, and each peer's rounds by their number."""

    path: Path
    circumstances: Mapping[str, Any]
    peers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, circumstances: Mapping[str, Any], *, fresh: bool) -> "Kept":
        """What the file has, where it was measured in these very circumstances; else, or when `fresh`, nothing."""
        kept = cls(path, circumstances)
        if path.is_file() and not fresh:
            said = json.loads(path.read_text("utf-8"))
            # A list is what versions before this one wrote.
            if isinstance(said, dict) and said["format"] == FORMAT and said["circumstances"] == circumstances:
                kept.peers = said["peers"]
        return kept

    def enter(self, row: Row) -> None:
        """Make room for a peer; what was measured of another version of it goes, and so do its problems."""
        entry = self.peers.get(row.peer)
        if entry is None or entry["fingerprint"] != row.fingerprint:
            entry = {"rounds": {}}
        about = {"version": row.version, "label": row.label, "fingerprint": row.fingerprint, "problems": []}
        self.peers[row.peer] = entry | about

    def has(self, peer: str, number: int) -> bool:
        return str(number) in self.peers[peer]["rounds"]

    def add(self, peer: str, number: int, figures: Mapping[str, float]) -> None:
        """Keep one round, on disk too."""
        self.peers[peer]["rounds"][str(number)] = dict(figures)
        self.write()

    def failed(self, peer: str, problem: str) -> None:
        """Keep why a round is missing; another run tries it again."""
        if problem not in self.peers[peer]["problems"]:
            self.peers[peer]["problems"].append(problem)
        self.write()

    def rows(self) -> list[Row]:
        """Every peer that was entered, in the order of entering."""
        return [
            Row(name, list(e["rounds"].values()), e["problems"], e["version"], e["fingerprint"], e["label"])
            for name, e in self.peers.items()
        ]

    def write(self) -> None:
        """Replace the file in one step: a run may be cut off here too."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {"format": FORMAT, "circumstances": self.circumstances, "peers": self.peers}
        beside = self.path.with_suffix(".tmp")
        beside.write_text(json.dumps(content, indent=1), "utf-8")
        beside.replace(self.path)
