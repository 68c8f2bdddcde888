"""Cost centres as SAP exports them: one CSV, one workbook of several sheets, and the Japanese CSV of the Shiomi station."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import yaml

from source.sheets import write_csv, write_sheets

Row = tuple[str, ...]

_HEAD = ("Company code", "Cost centre", "Name", "Responsible", "Report line", "Unit", "Plan", "Actual", "Variance")
_SUMS = ("Report line", "Plan EUR thousand", "Actual EUR thousand", "Variance EUR thousand", "Variance %")
_COMPANY, _COMPANY_JAPAN = "AL01", "AL02"


def write_costs(source: Path, folder: Path) -> list[Path]:
    """Write the exports below `folder`; return their paths."""
    figures = yaml.safe_load(source.read_text(encoding="utf-8"))
    made = datetime.combine(figures["date"], time(9), UTC)
    paths = [
        folder / name for name in ("cost-centres-2025.csv", "cost-centres-2025.xlsx", "ja/cost-centres-shiomi-2025.csv")
    ]
    paths[2].parent.mkdir(parents=True, exist_ok=True)
    write_csv([_HEAD, *_centres(figures)], paths[0])
    sheets = {"By report line": [_SUMS, *_sums(figures)]}
    sheets["Maintenance"] = [_HEAD, *(row for row in _centres(figures) if row[4] == "Maintenance")]
    sheets["Actual by quarter"] = [("Cost centre", "Name", "Q1", "Q2", "Q3", "Q4", "Year"), *_quarters(figures)]
    write_sheets(figures["title"], figures["author"], made, sheets, paths[1])
    write_csv([figures["shiomi"]["title"], *_shiomi(figures)], paths[2], "cp932")  # as Japanese SAP clients save it
    return paths


def _centres(figures: dict[str, Any]) -> list[Row]:
    return [
        (_COMPANY, code, name, who, line, "EUR thousand", f"{plan:,}", f"{actual:,}", f"{actual - plan:,}")
        for line, centres in figures["lines"].items()
        for code, name, who, plan, actual in centres
    ]


def _sums(figures: dict[str, Any]) -> list[Row]:
    sums = {
        line: (sum(c[3] for c in centres), sum(c[4] for c in centres)) for line, centres in figures["lines"].items()
    }
    sums["Operating costs"] = (sum(plan for plan, _ in sums.values()), sum(actual for _, actual in sums.values()))
    return [
        (line, f"{plan:,}", f"{actual:,}", f"{actual - plan:,}", f"{(actual - plan) / plan * 100:.1f}%")
        for line, (plan, actual) in sums.items()
    ]


def _quarters(figures: dict[str, Any]) -> list[Row]:
    rows = []
    for code, name, _, _, actual in (centre for centres in figures["lines"].values() for centre in centres):
        parts = [round(actual * share) for share in figures["quarters"][:3]]
        rows.append((code, name, *(f"{part:,}" for part in [*parts, actual - sum(parts), actual])))
    return rows


def _shiomi(figures: dict[str, Any]) -> list[Row]:
    rows = figures["shiomi"]["rows"]
    total = ["4210", "汐見ライン整備 合計", "大槻 健吾", sum(row[3] for row in rows), sum(row[4] for row in rows)]
    return [
        (_COMPANY_JAPAN, code, name, who, "JPY", f"{plan:,}", f"{actual:,}", f"{actual - plan:,}")
        for code, name, who, plan, actual in [*rows, total]
    ]
