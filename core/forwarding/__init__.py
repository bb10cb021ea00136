"""Records and log lines of scoring servers to an OTLP collector and to Application Insights, by their own exporters.

A process of its own, `python -m core.forwarding HOME`: the exporters are loaded nowhere else. It reads what the service
laid into each endpoint's queue, and notes how far each receiver has taken it.
"""
