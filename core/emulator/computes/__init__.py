"""Compute: clusters and instances, the sizes of machines there are, and how many cores one may have."""
