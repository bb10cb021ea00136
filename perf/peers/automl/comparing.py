"""A whole comparison: every contender on every split of every table, in turns, and the report of what came of it."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from core.settings import CHECKOUT
from perf.peers.automl import running, tables, verdicts
from perf.peers.automl.engines import OURS_CODE, SCRIPTS, Contender
from perf.peers.automl.kept import Kept, Key, Run
from perf.peers.automl.report import markdown, short_markdown
from perf.peers.automl.sizes import Installed, of_engine
from perf.peers.automl.tables import Split, Table
from perf.peers.comparison import PeerFailed, interleaved
from perf.peers.environments import fingerprint, installed_python, python_of
from perf.peers.scoring import machine


@dataclass(frozen=True)
class Written:
    """The comparison in Markdown."""

    report: str
    short: str
    """A line an engine, for the README."""


class Comparison:
    """What is compared, on what, and where its runs are kept."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        loaded: Sequence[Table],
        seeds: int,
        folds: int,
        threads: int,
        kept: Kept,
        envs: Path,
    ) -> None:
        self._contenders = {contender.name: contender for contender in contenders}
        self._splits = {table.name: list(tables.splits(table, seeds, folds)) for table in loaded}
        self._tables = {table.name: table for table in loaded}
        self._digests = {table.name: table.digest for table in loaded}
        self._codes = {contender.name: _code(contender) for contender in contenders}
        self._threads, self._kept, self._envs = threads, kept, envs
        self._about = {"seeds": seeds, "folds": folds, "threads": threads}

    @property
    def missing(self) -> list[str]:
        """The runs that nobody has made yet."""
        turns = ((t, s, c) for t, s, c in self._turns() if self._kept.get(self._key(t, s, c)) is None)
        return [f"{contender.label} on {table.name}, {split.name}" for table, split, contender in turns]

    @property
    def measured(self) -> bool:
        """Whether any run has figures."""
        return any(run and not run.problem for o in self._outcomes() for runs in o.runs.values() for run in runs)

    def run(self) -> None:
        """Make every run that is not kept."""
        for table, split, contender in self._turns():
            key = self._key(table, split, contender)
            if self._kept.done(key):
                continue
            _say(f"{table.name}, {split.name}: {contender.label}")
            self._kept.add(key, self._made(table, split, contender))

    def write(self, folder: Path) -> Written:
        """Write `automl.md` and `automl.json`."""
        outcomes, chosen = self._outcomes(), list(self._contenders.values())
        verdict = verdicts.judge(outcomes, chosen)
        sizes = {c.engine.name: found for c in chosen if (found := self._installed(c))}
        about = self._circumstances(outcomes)
        sizes_mb = {name: size.size_mb for name, size in sizes.items()}
        report = f"{about}\n\n{markdown(outcomes, chosen, verdict, sizes_mb)}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "automl.md").write_text(f"# AutoML engines at equal time\n\n{report}", "utf-8")
        said = {
            "about": about,
            "options": self._about,
            "machine": {"cores": _cores(), "architecture": platform.machine(), "system": platform.release()},
            "installed": {name: asdict(found) for name, found in sizes.items()},
            "ranks": verdict.ranks,
            "engines": verdict.lines,
            "differences": [asdict(d) | {"better": d.better} for d in verdict.differences],
            "runs": list(_told(outcomes)),
        }
        (folder / "automl.json").write_text(json.dumps(said, indent=1), "utf-8")
        return Written(report, f"{short_markdown(chosen, verdict, sizes_mb)}\n\n{about}\n")

    def _turns(self) -> Iterator[tuple[Table, Split, Contender]]:
        """First one split of every table; each split begun by another contender, so that drift hits all alike."""
        most = max(len(splits) for splits in self._splits.values())
        places = [(name, at) for at in range(most) for name, splits in self._splits.items() if at < len(splits)]
        for number, name in interleaved(list(self._contenders), len(places)):
            table, at = places[number]
            yield self._tables[table], self._splits[table][at], self._contenders[name]

    def _made(self, table: Table, split: Split, contender: Contender) -> Run:
        facts: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            python = python_of(contender.engine.environment, self._envs)
            result = running.run(contender, python, table, split, self._threads)
        except PeerFailed as e:
            _say(f"{contender.label}: {e}")
            return Run(facts, None, str(e))
        _say(
            f"  AUC {result.facts['auc']:.4f}, log loss {result.facts['log_loss']:.4f}, {result.facts['fit_s']:.1f} s, "
            f"processor {result.facts['cpu_s']:.0f} s, others' {result.facts['others_cpu_s']:.0f} s"
        )
        return Run(facts | dict(result.facts), result.probabilities)

    def _outcomes(self) -> list[verdicts.Outcome]:
        return [
            verdicts.Outcome(
                table,
                self._splits[name],
                {
                    contender.name: [self._kept.get(self._key(table, split, contender)) for split in self._splits[name]]
                    for contender in self._contenders.values()
                },
            )
            for name, table in self._tables.items()
        ]

    def _key(self, table: Table, split: Split, contender: Contender) -> Key:
        return Key(
            table.name,
            split.name,
            contender.name,
            contender.budget_s,
            self._threads,
            self._digests[table.name],
            self._codes[contender.name],
        )

    def _installed(self, contender: Contender) -> Installed | None:
        """None where it is not installed."""
        python = installed_python(contender.engine.environment, self._envs)
        return of_engine(contender.engine, python) if python else None

    def _circumstances(self, outcomes: Sequence[verdicts.Outcome]) -> str:
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        budgets = "/".join(f"{s:g}" for s in dict.fromkeys(c.budget_s for c in self._contenders.values()))
        folds = f" of {self._about['folds']} folds" if self._about["folds"] else ", 80 % to train on"
        every = [run for outcome in outcomes for runs in outcome.runs.values() for run in runs]
        made = [run for run in every if run]
        cut = "" if len(made) == len(every) else f"; {len(made)} of {len(every)} runs so far"
        taken = [run.facts["others_cpu_s"] / run.facts["wall_s"] / _cores() for run in made if not run.problem]
        others = (
            f"; other work took {median(taken):.0%} of the processor meanwhile (median of the runs)" if taken else ""
        )
        splits = f"{self._about['seeds']} seed(s){folds}"
        return (
            f"{when}; {budgets} s and {self._threads} threads each, {splits}, runs in turn; {machine()}{others}{cut}."
        )


def _cores() -> int:
    """Of the machine."""
    return os.cpu_count() or 1


def _code(contender: Contender) -> str:
    """What an engine's figures are of: its requirements, script and options; of ours, the code of `OURS_CODE` too."""
    engine = contender.engine
    files = [engine.script, SCRIPTS / "exchange.py"]
    if engine.ours:
        folders = [CHECKOUT / "core" / room for room in OURS_CODE]
        files += sorted(f for folder in folders for f in folder.rglob("*") if f.suffix in (".py", ".c"))
    said = fingerprint(engine.environment) + json.dumps(dict(engine.options), sort_keys=True)
    return hashlib.sha256(said.encode() + b"".join(file.read_bytes() for file in files)).hexdigest()


def _told(outcomes: Sequence[verdicts.Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        for name, runs in outcome.runs.items():
            for split, run in zip(outcome.splits, runs, strict=True):
                if run:
                    about = {"table": outcome.table.name, "split": split.name, "engine": name, "problem": run.problem}
                    yield about | dict(run.facts)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
