"""What the app's process loads over a real, filled workspace: nothing that trains, attacks or speaks to Azure."""

import json
import subprocess
import sys

import living

from core.settings import CHECKOUT

HEAVY = (
    "azure", "msal", "opentelemetry", "mlflow", "schemathesis", "hypothesis", "sklearn", "lightgbm",
    "xgboost", "catboost",
)  # fmt: skip
VISIT = """
import json, sys
from streamlit.testing.v1 import AppTest

app = AppTest.from_file("app.py", default_timeout=60).run()
for page in json.loads(sys.argv[1]):
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, (page, app.exception[0].value)
    assert not app.error, (page, app.error[0].value)
sys.stdout.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_no_page_loads_a_learner_a_fuzzer_or_a_cloud(quickstart: living.Live):
    pages = sorted(path.stem for path in (CHECKOUT / "pages").glob("*.py"))

    ran = subprocess.run(
        [sys.executable, "-c", VISIT, json.dumps(pages)],
        cwd=CHECKOUT, env=living.environment(quickstart.home), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr[-3000:]
    assert set(json.loads(ran.stdout)) & set(HEAVY) == set()
