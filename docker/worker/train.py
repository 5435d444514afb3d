"""Trains the example model: homes sold in a Texan city in a month, from what is known of its market.

    python train.py [model.joblib]

The data are the 8,602 rows of `txhousing.csv`, which the plotnine package ships. `volume`, the
money turned over, is left out: it is the answer times a price. Rows without an answer are left
out too; missing inputs are filled in by the pipeline. The last two years (2014 and 2015) are held
out to measure the model, which is then fitted again on everything and written atomically.
"""

import csv
import importlib.util
import math
import os
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

TARGET = "sales"
HELD_OUT_FROM = 2014

# The order of a request's "features", and what each may be.
FEATURES = [
    {"name": "year", "least": 1900, "most": 2100, "whole": True},
    {"name": "month", "least": 1, "most": 12, "whole": True},
    {"name": "median", "least": 0, "most": 1e9, "whole": False},  # median price, US dollars
    {"name": "listings", "least": 0, "most": 1e9, "whole": False},  # homes on offer
    {"name": "inventory", "least": 0, "most": 1e4, "whole": False},  # months to sell them all
]
NAMES = [feature["name"] for feature in FEATURES]


def data_path() -> Path:
    """Where the installed plotnine keeps the data; its code is not imported, only found."""
    package = importlib.util.find_spec("plotnine")
    if package is None or package.origin is None:
        sys.exit("train: plotnine is missing: pip install --no-deps -r requirements-train.txt")
    return Path(package.origin).parent / "data" / "txhousing.csv"


def read_rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The inputs (one row each, NaN where missing) and the answers of all rows that have one."""

    def number(text: str) -> float:
        return math.nan if text in ("", "NA") else float(text)

    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not math.isnan(number(row[TARGET]))]
    inputs = np.array([[number(row[name]) for name in NAMES] for row in rows])
    answers = np.array([number(row[TARGET]) for row in rows])
    return inputs, answers


def make_model() -> TransformedTargetRegressor:
    """A linear model of the logarithms: sales go with listings / inventory, times a season."""
    column = {name: index for index, name in enumerate(NAMES)}
    season = OneHotEncoder(categories=[list(range(1, 13))], handle_unknown="ignore")
    market = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        FunctionTransformer(np.log1p),
        StandardScaler(),
    )
    inputs = ColumnTransformer(
        [
            ("trend", StandardScaler(), [column["year"]]),
            ("season", season, [column["month"]]),
            ("market", market, [column["median"], column["listings"], column["inventory"]]),
        ]
    )
    return TransformedTargetRegressor(
        make_pipeline(inputs, Ridge(alpha=0.1)), func=np.log, inverse_func=np.exp
    )


def write_atomically(artifact: dict, path: Path) -> None:
    """Writes beside the final name, then renames: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            joblib.dump(artifact, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def main() -> None:
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    default = Path(__file__).resolve().parent / "model.joblib"
    path = Path(sys.argv[1]) if len(sys.argv) == 2 else default
    started = time.monotonic()

    inputs, answers = read_rows(data_path())
    held_out = inputs[:, NAMES.index("year")] >= HELD_OUT_FROM
    model = make_model().fit(inputs[~held_out], answers[~held_out])
    guesses = model.predict(inputs[held_out])
    error = mean_absolute_error(answers[held_out], guesses)
    naive = mean_absolute_error(
        answers[held_out], np.full(held_out.sum(), np.median(answers[~held_out]))
    )
    print(
        f"train: {len(answers)} rows; {held_out.sum()} of {HELD_OUT_FROM} and later held out: "
        f"R² {r2_score(answers[held_out], guesses):.3f}, "
        f"mean absolute error {error:.1f} sales (always the median: {naive:.1f})"
    )

    model.fit(inputs, answers)
    write_atomically(
        {
            "model": model,
            "features": FEATURES,
            "target": TARGET,
            "scikitLearn": sklearn.__version__,
        },
        path,
    )
    print(
        f"train: wrote {path} ({path.stat().st_size:,} bytes) "
        f"in {time.monotonic() - started:.1f} s"
    )


if __name__ == "__main__":
    main()
