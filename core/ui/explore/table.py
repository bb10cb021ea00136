"""The table that is explored, and the column whose rate is shown."""

from dataclasses import dataclass

from core.domain.data import ColumnProfile, ColumnRole, DataAsset, TableProfile
from core.ui.kit import tables
from core.ui.shell import cached, choices, navigation
from core.workspace import Workspace

NO_TARGET = "none"


@dataclass(frozen=True, slots=True)
class Explored:
    """What the views show: a data version column by column, and the target, empty for none."""

    workspace: Workspace
    asset: DataAsset
    target: str
    profile: TableProfile
    """With the target's rates, where there is one."""


def choose_target(asset: DataAsset, profile: TableProfile) -> str:
    """The column whose rate is shown per category, or nothing: only columns with two values have a rate."""
    binary = {c.name: c.name for c in profile.columns if c.distinct == 2}
    picked = choices.choose(
        "Target (two values)", {NO_TARGET: "No target", **binary}, key="target", first=NO_TARGET, scope=str(asset.ref)
    )
    return "" if picked == NO_TARGET else picked


def explore(workspace: Workspace, asset: DataAsset, profile: TableProfile, target: str) -> Explored:
    """What the views show; the table is only looked at again for a target."""
    return Explored(workspace, asset, target, cached.profile(asset.ref, target) if target else profile)


def train_link(asset: DataAsset, target: str) -> None:
    """The next step, with the table and its target."""
    chosen = {"target": target} if target else {}
    label = f"Train to predict {target}" if target else "Train on this table"
    navigation.link("Leaderboard", label, train=tables.key_of(asset), **chosen)


def first_column(profile: TableProfile) -> str:
    """The first column that says something: no id, no constant, not an empty one."""
    return next((c.name for c in profile.columns if _says_something(c)), profile.columns[0].name)


def _says_something(column: ColumnProfile) -> bool:
    return column.role is ColumnRole.FEATURE and bool(column.histogram or column.levels)
