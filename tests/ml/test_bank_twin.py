"""The twin beside the real table, where that is present; its own promises everywhere."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from core.ml.bank_twin import COLUMNS, PERIODS, write_twin

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "bankmarketing_train.csv.xz"
ECONOMY = ["emp.var.rate", "cons.price.idx", "cons.conf.idx", "nr.employed"]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("twin") / "twin.csv"
    write_twin(path)
    return pd.read_csv(path, keep_default_na=False)


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    if not REAL.exists():
        pytest.skip("../shared is not here")
    return pd.read_csv(REAL, keep_default_na=False)


def auc(frame: pd.DataFrame, *without: str) -> float:
    """LightGBM's with its defaults, cross-validated."""
    inputs = frame.drop(columns=["y", *without])
    inputs = inputs.astype({name: "category" for name in inputs.columns if inputs[name].dtype.kind not in "if"})
    folds = StratifiedKFold(5, shuffle=True, random_state=7)
    model = lightgbm.LGBMClassifier(n_jobs=1, verbose=-1)
    chances: Any = cross_val_predict(model, inputs, frame["y"], cv=folds, method="predict_proba")
    return float(roc_auc_score(frame["y"], chances[:, 1]))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_table(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_twin(tmp_path / name, seed=seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_rows_and_class_balance_are_the_tables(twin: pd.DataFrame) -> None:
    assert tuple(twin.columns) == COLUMNS
    assert len(twin) == 32_950
    assert (twin["y"] == "yes").sum() == 3_692


def test_a_month_and_its_economy_are_tied(twin: pd.DataFrame) -> None:
    found = set(twin[["month", *ECONOMY]].itertuples(index=False, name=None))
    assert found == {(p.month, p.emp_var_rate, p.cons_price_idx, p.cons_conf_idx, p.nr_employed) for p in PERIODS}
    assert twin.groupby(ECONOMY)["month"].nunique().max() == 1


def test_earlier_contacts_make_sense(twin: pd.DataFrame) -> None:
    never = twin["poutcome"] == "nonexistent"
    assert (twin["previous"] == 0).equals(never)
    assert (twin.loc[never, "pdays"] == 999).all()
    assert (twin.loc[twin["poutcome"] == "success", "pdays"] < 999).all()


def test_the_columns_have_the_real_kinds_ranges_and_categories(twin: pd.DataFrame, real: pd.DataFrame) -> None:
    assert list(twin.columns) == list(real.columns)
    for name in real.columns:
        assert twin[name].dtype.kind == real[name].dtype.kind, name
        if real[name].dtype.kind in "if":
            assert real[name].min() <= twin[name].min() + 1e-9, name
            assert twin[name].max() <= real[name].max() + 1e-9, name
            assert twin[name].mean() == pytest.approx(real[name].mean(), abs=0.1 * real[name].std()), name
        else:
            shares = pd.concat([f[name].value_counts(normalize=True) for f in (twin, real)], axis=1)
            assert not shares.isna().any().any(), name
            assert np.ptp(shares.to_numpy(), axis=1).max() < 0.01, name


def test_no_row_is_a_copy_beyond_chance(twin: pd.DataFrame, real: pd.DataFrame) -> None:
    columns = [name for name in real.columns if real[name].dtype.kind != "f"]
    both = set(twin[columns].itertuples(index=False, name=None)) & set(real[columns].itertuples(index=False, name=None))
    assert len(both) < 20


@pytest.mark.full
def test_it_is_as_hard_as_the_real_table(twin: pd.DataFrame, real: pd.DataFrame) -> None:
    assert auc(twin) == pytest.approx(auc(real), abs=0.01)
    assert auc(twin, "duration") == pytest.approx(auc(real, "duration"), abs=0.01)
