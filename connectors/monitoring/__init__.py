"""How Rolecall is watched: Prometheus metrics, OpenTelemetry traces, and logs that machines read."""
