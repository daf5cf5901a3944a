"""Rule sets over events: engines, alerts, comparisons."""
