"""Request bodies for property tests: valid ones with one place changed."""

import json

from hypothesis import strategies as st

from core.contract import samples

scalars = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | st.text(max_size=4)
anything = st.recursive(
    scalars | st.sampled_from([1.0, -0.0, 2**63, -(2**63), 1e300, "red", "blue"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["data", "method", "Inputs", "GlobalParameters", "input_data", "columns", "index", "params", "extra"]


@st.composite
def mutated(draw, signature):
    """A valid body with one place changed: a value replaced, a key renamed, an item removed."""
    form = draw(st.sampled_from(["v1", "v2", "mlflow"]))
    rows = samples.rows(signature, draw(st.integers(1, 3)), seed=draw(st.integers(0, 99)))
    body = json.loads(samples.body(rows, form, draw(st.sampled_from([None, "predict", "predict_proba"]))))
    holder = body
    for _ in range(draw(st.integers(0, 4))):
        inside = list(holder.values()) if isinstance(holder, dict) else holder
        nested = [v for v in inside if isinstance(v, dict | list) and v]
        if not nested:
            break
        holder = draw(st.sampled_from(nested))
    _change(draw, holder, [c.name for c in signature.columns])
    return json.dumps(body).encode()


def _change(draw, holder, names):
    places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    place = draw(st.sampled_from(places))
    match draw(st.sampled_from(["replace", "replace", "remove", "add"])):
        case "replace":
            holder[place] = draw(anything)
        case "remove":
            del holder[place]
        case "add" if isinstance(holder, dict):
            holder[draw(st.sampled_from([*KEYS, *names]))] = draw(anything)
        case "add":
            holder.append(draw(anything))
