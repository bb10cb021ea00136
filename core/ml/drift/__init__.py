"""Whether columns are still as they were in training: what training was like, counts of late, tests, one verdict each.

How it is measured and what is assumed stands in docs/monitoring.md.
"""
