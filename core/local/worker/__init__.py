"""One job to its end, one module a kind: `python -m core.local.worker JOB`."""
