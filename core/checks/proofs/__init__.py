"""The checks themselves, and the one table of the modules in which they stand: a new module is entered here.

None of these modules knows another; what several need to ask is in `core.checks.asking`.
"""

from core.checks.proofs import (
    answering,
    company,
    contract,
    errors,
    extremes,
    headers,
    keys,
    labels,
    ours,
    requests,
    rows,
    scoring,
    transport,
    writing,
)

PROOFS = (
    contract,
    scoring,
    answering,
    company,
    keys,
    requests,
    rows,
    errors,
    extremes,
    headers,
    labels,
    ours,
    transport,
    writing,
)
"""In the order in which their checks run, part by part. Importing a module enters its checks."""
