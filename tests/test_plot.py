"""The picture that benchmarks/load.py draws: both kinds of file hold every line, and another kind is refused."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from benchmarks.plot import COLOURS, Panel, draw

PEOPLE = [5, 20, 80]
PANELS = [
    Panel("wait <s>", {"p50": [0.4, 0.4, 0.6], "p95": [0.4, 0.5, 1.7]}),
    Panel("fairness", {"": [1, 1, 0.5]}, top=1),
]


def test_a_line_goes_up_where_its_values_do(tmp_path: Path) -> None:
    draw(tmp_path / "load.svg", "people", PEOPLE, PANELS)
    drawn = ElementTree.parse(tmp_path / "load.svg").getroot()
    lines = [one for one in drawn.iter() if one.tag.endswith("polyline") and one.get("stroke-width") == "2"]
    assert len(lines) == 3
    heights = [[float(point.split(",")[1]) for point in (one.get("points") or "").split()] for one in lines]
    p50, p95, fairness = heights
    assert p95[0] > p95[1] > p95[2]
    assert p50[2] > p95[2]
    assert fairness[0] == fairness[1] < fairness[2]
    texts = {one.text for one in drawn.iter() if one.tag.endswith("text")}
    assert {"wait <s>", "people", "80", "p95", "fairness"} <= texts


def test_the_same_picture_as_png(tmp_path: Path) -> None:
    draw(tmp_path / "load.png", "people", PEOPLE, PANELS)
    with Image.open(tmp_path / "load.png") as image:
        seen = {f"#{red:02x}{green:02x}{blue:02x}" for _, (red, green, blue) in image.getcolors(100_000) or ()}
    assert set(COLOURS[:2]) <= seen


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--plot: load\.pdf: choices: .*\.svg or \.png"):
        draw(tmp_path / "load.pdf", "people", PEOPLE, PANELS)
