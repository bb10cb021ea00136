"""The tabs under the first glance: a file each, and an entry in the table here."""

from core.ui.kit.parts import Part
from core.ui.monitor import (
    alerts,
    collection,
    drift,
    failures,
    live_metrics,
    outcomes,
    predictions,
    requests,
    traffic,
)
from core.ui.monitor.opened import Opened

TABS: tuple[Part[Opened], ...] = (
    Part("Traffic", traffic.show),
    Part("Live metrics", live_metrics.show),
    Part("Failures", failures.show),
    Part("Requests", requests.show, needs=("records.requests",)),
    Part("Drift", drift.show, needs=("records.drift",)),
    Part("Predictions", predictions.show, needs=("records.predictions",)),
    Part("Outcomes", outcomes.show, needs=("records.send_feedback",)),
    Part("Alerts", alerts.show, needs=("records.alerts", "records.unreadable_alerts")),
    Part("Collection", collection.show),
)
