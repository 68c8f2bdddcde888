"""Make the generated documents of the example airline from `source/`: the same bytes on every run.

Usage: python examples/airline/make.py [FOLDER], which is `documents` beside this script by default.
"""

from __future__ import annotations

import sys
from pathlib import Path

from source.costs import write_costs
from source.pdf import write_pdf
from source.prose import read_prose
from source.sheets import write_book
from source.slides import write_slides
from source.word import write_word

HERE = Path(__file__).resolve().parent
WRITERS = {".pdf": write_pdf, ".docx": write_word, ".pptx": write_slides, ".xlsx": write_book}


def make(folder: Path) -> list[Path]:
    """Write every generated document below `folder`; return their paths. `text/a/b.pdf.md` becomes `a/b.pdf`."""
    made = []
    texts = HERE / "source" / "text"
    for source in sorted(texts.rglob("*.md")):
        target = folder / source.relative_to(texts).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[target.suffix](read_prose(source), target)
        made.append(target)
    return made + write_costs(HERE / "source" / "costs.yaml", folder / "sap")


if __name__ == "__main__":
    for path in make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "documents"):
        print(path)
