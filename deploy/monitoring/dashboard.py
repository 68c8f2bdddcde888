"""Writes dashboard.json, the Grafana dashboard: `python deploy/monitoring/dashboard.py`."""

from __future__ import annotations

import json
from pathlib import Path

RATE = "$__rate_interval"
PANELS: list[tuple[str, str, list[tuple[str, str]]]] = [
    (
        "Waiting for the first word, seconds",
        "s",
        [
            (
                f'histogram_quantile({q}, sum by (le) (rate(rolecall_wait_seconds_bucket{{until="first_word"}}[{RATE}])))',
                f"p{q}",
            )
            for q in ("0.5", "0.95")
        ],
    ),
    (
        "Waiting for the answer, seconds",
        "s",
        [
            (
                f'histogram_quantile({q}, sum by (le) (rate(rolecall_wait_seconds_bucket{{until="answer"}}[{RATE}])))',
                f"p{q}",
            )
            for q in ("0.5", "0.95")
        ],
    ),
    (
        "Messages a second, by door",
        "reqps",
        [(f"sum by (door, verdict) (rate(rolecall_messages_total[{RATE}]))", "{{door}} {{verdict}}")],
    ),
    ("Inbox", "short", [("sum by (state) (rolecall_queue_messages)", "{{state}}")]),
    ("Age of the oldest open message", "s", [("max(rolecall_queue_age_seconds)", "age")]),
    ("Answers a second, by tool", "reqps", [(f"sum by (tool) (rate(rolecall_answers_total[{RATE}]))", "{{tool}}")]),
    ("Refusals an hour, by layer", "short", [("sum by (layer) (increase(rolecall_refusals_total[1h]))", "{{layer}}")]),
    ("Endings otherwise an hour", "short", [("sum by (how) (increase(rolecall_ended_total[1h]))", "{{how}}")]),
    (
        "Seconds by step, p95",
        "s",
        [(f"histogram_quantile(0.95, sum by (le, step) (rate(rolecall_step_seconds_bucket[{RATE}])))", "{{step}}")],
    ),
    ("Tokens a second", "short", [(f"sum by (direction) (rate(rolecall_tokens_total[{RATE}]))", "{{direction}}")]),
    ("Services away", "short", [("max by (service) (rolecall_breaker_open)", "{{service}}")]),
    ("Since the last sync", "s", [("time() - max by (source) (rolecall_sync_finished_seconds)", "{{source}}")]),
    ("Unread files", "short", [("max by (source) (rolecall_sync_failed_documents)", "{{source}}")]),
    (
        "What runs",
        "short",
        [("count by (version, model, sandbox) (rolecall_build_info)", "{{version}} {{model}} {{sandbox}}")],
    ),
    ("roles.yaml is broken", "short", [("max(rolecall_policy_alarm)", "alarm")]),
]


def dashboard() -> dict[str, object]:
    """The dashboard as Grafana imports it; two panels a row."""
    panels = [
        {
            "id": number + 1,
            "type": "timeseries",
            "title": title,
            "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
            "datasource": {"type": "prometheus", "uid": "${source}"},
            "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
            "targets": [
                {"refId": chr(65 + n), "expr": expression, "legendFormat": legend}
                for n, (expression, legend) in enumerate(targets)
            ],
        }
        for number, (title, unit, targets) in enumerate(PANELS)
    ]
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "title": "Rolecall",
        "uid": "rolecall",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }


def main() -> None:
    """Write it beside this file."""
    path = Path(__file__).with_name("dashboard.json")
    path.write_text(json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
