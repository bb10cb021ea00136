"""Tables made by code, of kinds that the five real ones are not: what was tuned to those five shows here."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

TARGET = "outcome"


def many_levels(rng: np.random.Generator) -> pd.DataFrame:
    """Text of up to 2,000 levels, most of them rare, each with an effect of its own."""
    rows = 12_000
    frame, signal = pd.DataFrame(), np.zeros(rows)
    for name, levels, strength in (("shop", 2_000, 1.0), ("town", 300, 0.8), ("product", 40, 0.6)):
        codes = np.minimum(rng.zipf(1.3, rows) - 1, levels - 1)
        frame[name] = np.char.add(f"{name}-", codes.astype(str))
        signal += strength * rng.normal(size=levels)[codes]
    numbers = rng.normal(size=(rows, 6))
    signal += numbers[:, 0] * np.sign(numbers[:, 1]) + 0.5 * numbers[:, 2]
    return _with_numbers(frame, numbers, _binary(rng, signal, share=0.3))


def wide(rng: np.random.Generator) -> pd.DataFrame:
    """400 columns, of which 15 say something, and 2,000 rows."""
    numbers = rng.normal(size=(2_000, 400))
    signal = numbers[:, :15] @ rng.normal(size=15) * 0.5 + numbers[:, 0] * numbers[:, 1]
    return _with_numbers(pd.DataFrame(), numbers, _binary(rng, signal, share=0.5))


def several_classes(rng: np.random.Generator) -> pd.DataFrame:
    """Six classes of unequal size, from numbers and text."""
    rows, classes = 8_000, 6
    numbers, kind = rng.normal(size=(rows, 10)), rng.integers(0, 8, rows)
    margins = np.tanh(numbers) @ rng.normal(size=(10, classes)) + rng.normal(size=(8, classes))[kind]
    margins += np.log(np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])) + rng.gumbel(size=(rows, classes))
    frame = pd.DataFrame({"kind": np.char.add("kind-", kind.astype(str))})
    return _with_numbers(frame, numbers, np.char.add("class-", margins.argmax(axis=1).astype(str)))


def small(rng: np.random.Generator) -> pd.DataFrame:
    """400 rows with empty cells."""
    rows = 400
    numbers, group = rng.normal(size=(rows, 8)), rng.integers(0, 5, rows)
    signal = numbers[:, 0] + 0.7 * np.abs(numbers[:, 1]) + rng.normal(size=5)[group]
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    frame = pd.DataFrame({"group": np.array(list("abcde"))[group].astype(object)})
    frame.loc[rng.random(rows) < 0.05, "group"] = None
    return _with_numbers(frame, numbers, _binary(rng, signal, share=0.35))


def weak(rng: np.random.Generator) -> pd.DataFrame:
    """Little to be known: an AUC of about 0.6 is what there is."""
    numbers = rng.normal(size=(10_000, 20))
    signal = 0.25 * numbers[:, 0] - 0.2 * numbers[:, 1] + 0.2 * numbers[:, 2] * numbers[:, 3]
    return _with_numbers(pd.DataFrame(), numbers, _binary(rng, signal, share=0.15))


def dated(rng: np.random.Generator) -> pd.DataFrame:
    """The month, the day of the week and the days between two dates decide."""
    rows = 6_000
    first = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 1_000, rows), unit="D")
    between = rng.integers(0, 90, rows)
    dates = pd.DataFrame({"ordered": first, "delivered": first + pd.to_timedelta(between, unit="D")})
    signal = 0.9 * np.sin(dates["ordered"].dt.month * np.pi / 6) + 0.8 * (dates["ordered"].dt.day_of_week >= 5)
    frame = dates.apply(lambda column: column.dt.strftime("%Y-%m-%d"))
    numbers = rng.normal(size=(rows, 5))
    return _with_numbers(frame, numbers, _binary(rng, signal + 0.03 * (between - 45) + 0.5 * numbers[:, 0], share=0.4))


MAKERS: Mapping[str, Callable[[np.random.Generator], pd.DataFrame]] = {
    "many-levels": many_levels,
    "wide": wide,
    "several-classes": several_classes,
    "small": small,
    "weak": weak,
    "dated": dated,
}


def make(name: str) -> pd.DataFrame:
    """The same table each time."""
    return MAKERS[name](np.random.default_rng(list(name.encode())))


def _with_numbers(frame: pd.DataFrame, numbers: np.ndarray, target: np.ndarray) -> pd.DataFrame:
    columns = pd.DataFrame(numbers, columns=[f"x{at}" for at in range(numbers.shape[1])])
    return pd.concat([frame, columns, pd.Series(target, name=TARGET)], axis=1)


def _binary(rng: np.random.Generator, signal: np.ndarray, share: float) -> np.ndarray:
    """Yes or no with logistic noise; about this share is yes."""
    noisy = np.asarray(signal) + rng.logistic(size=len(signal))
    return np.where(noisy > np.quantile(noisy, 1 - share), "yes", "no")
