"""Pure computation over a Parquet file: profile, search, ensemble, metrics. Knows neither store nor page."""
