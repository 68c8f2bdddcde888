"""What deploy/monitoring asks of Prometheus: each expression parses, and asks for what `/metrics` really tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.ports import Queue, SyncRun
from bot.types import Answer
from connectors.monitoring.metrics import Metrics
from tests.deploy.test_deploy import DEPLOY, ROOT, resource

MONITORING = DEPLOY / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
ALERTS = [str(rule["expr"]) for rule in RULES]
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
PANELS = [str(target["expr"]).replace("$__rate_interval", "5m") for target in TARGETS]


@cache
def told() -> dict[str, frozenset[str]]:
    """Every metric that a process tells once everything has happened, and its labels."""
    metrics = Metrics()
    metrics.built({"version": "1", "model": "m", "sandbox": "none"})
    metrics.received("slack", "accepted")
    metrics.waited("answer", 1.0)
    metrics.answered(Answer("yes", ms={"search": 1.0}))
    metrics.stands(Queue(1, 1, 1, 1.0), {"model": False}, [SyncRun("handbook", 1.0, 0, 0, 0, 0)], alarm=False)
    samples = [one for family in text_string_to_metric_families(metrics.text().decode()) for one in family.samples]
    return {one.name: frozenset(one.labels) for one in samples}


def parts(expression: str) -> Iterator[Any]:
    """Everything that an expression is made of. Raises ValueError where Prometheus would."""
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), found.append)
    return iter(found)


def selectors(expression: str) -> list[Any]:
    return [one for one in parts(expression) if isinstance(one, promql_parser.VectorSelector)]


def matched(selector: Any) -> dict[str, str]:
    return {one.name: one.value for one in selector.matchers.matchers}


@pytest.mark.parametrize("expression", [*ALERTS, *PANELS])
def test_each_expression_asks_for_metrics_and_labels_that_there_are(expression: str) -> None:
    asked = selectors(expression)
    assert asked
    for one in asked:
        assert one.name in told(), one.name
        assert matched(one).keys() <= told()[one.name], one.name
    known = frozenset().union(*(told()[one.name] for one in asked))
    for one in parts(expression):
        if isinstance(one, promql_parser.AggregateExpr) and one.modifier is not None:
            assert set(one.modifier.labels) <= known, expression


@pytest.mark.parametrize("expression", [one for one in ALERTS if "increase(" in one])
def test_a_counter_that_wakes_somebody_is_there_before_it_counts(expression: str) -> None:
    """Prometheus sees no increase in a counter that comes into the world at one."""
    for one in selectors(expression):
        assert Metrics().registry.get_sample_value(one.name, matched(one)) == 0.0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_alert_says_what_is_the_matter_and_the_page_what_to_do(rule: dict[str, Any]) -> None:
    grouped = {
        label
        for one in parts(rule["expr"])
        if isinstance(one, promql_parser.AggregateExpr) and one.modifier is not None
        for label in one.modifier.labels
    }
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= grouped
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert f"`{rule['alert']}`" in page.partition("## What to do about an alert")[2].partition("\n## ")[0]


def test_the_page_describes_every_metric_and_no_other() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    described = page.partition("## What to watch")[2].partition("\n## ")[0]
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in told() if not name.endswith("_created")}
    assert set(re.findall(r"`(rolecall_\w+)`", described)) == families


def test_the_legends_of_the_dashboard_name_labels_that_are_asked_for() -> None:
    for target, expression in zip(TARGETS, PANELS, strict=True):
        known = frozenset().union(*(told()[one.name] for one in selectors(expression)))
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known


def test_the_dashboard_is_what_its_script_writes(tmp_path: Path) -> None:
    script = tmp_path / "dashboard.py"
    shutil.copy(MONITORING / "dashboard.py", script)
    subprocess.run([sys.executable, script], check=True)
    assert (tmp_path / "dashboard.json").read_text() == (MONITORING / "dashboard.json").read_text()


def test_the_autoscaler_asks_for_what_the_adapter_offers_of_what_prometheus_scrapes() -> None:
    (rule,) = yaml.safe_load((MONITORING / "adapter.yaml").read_text())["rules"]["external"]
    (metric,) = resource("autoscaling.yaml")["spec"]["metrics"]
    name = metric["external"]["metric"]["name"]
    assert rule["name"]["as"] == name
    assert name in told()
    (series,) = selectors(rule["seriesQuery"])
    assert series.name == name
    (scraped,) = yaml.safe_load((MONITORING / "scrape.yaml").read_text())["scrape_configs"]
    labels = {one.get("target_label") for one in scraped["relabel_configs"]}
    needed = {one.name for one in series.matchers.matchers} | set(rule["resources"]["overrides"])
    assert needed <= labels
    asked = rule["metricsQuery"].replace("<<.Series>>", name).replace("<<.LabelMatchers>>", 'namespace="rolecall"')
    promql_parser.parse(asked.replace("<<.GroupBy>>", "namespace"))


def test_prometheus_finds_the_metrics_where_the_pods_say_and_the_network_lets_it() -> None:
    template = resource("deployment.yaml")["spec"]["template"]
    notes = {name.removeprefix("prometheus.io/"): value for name, value in template["metadata"]["annotations"].items()}
    (port,) = template["spec"]["containers"][0]["ports"]
    assert notes == {"scrape": "true", "port": str(port["containerPort"]), "path": "/metrics"}
    (scraped,) = yaml.safe_load((MONITORING / "scrape.yaml").read_text())["scrape_configs"]
    read = " ".join(source for one in scraped["relabel_configs"] for source in one.get("source_labels", ()))
    for note in notes:
        assert f"annotation_prometheus_io_{note}" in read
    (entry,) = resource("network.yaml")["spec"]["ingress"]
    assert "monitoring" in str(entry["from"])
    assert {one["port"] for one in entry["ports"]} == {port["containerPort"]}
