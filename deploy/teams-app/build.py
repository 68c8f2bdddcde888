"""Makes the app package for Teams: fills the ids into the manifest and zips it with the icons.

python deploy/teams-app/build.py --app-id GUID --host chat.example.com
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
VERSION = re.compile(r"\d+\.\d+\.\d+")


def main(given: Sequence[str] | None = None) -> int:
    """Exit code 2 if an id is not what it should be."""
    parser = argparse.ArgumentParser(description="Make the app package that Teams takes.")
    parser.add_argument("--app-id", required=True, help="the bot's Microsoft Entra application id, a GUID")
    parser.add_argument("--host", required=True, help="the public name of the server: chat.example.com")
    parser.add_argument("--name", default="Rolecall", help="what people mention; at most 30 characters")
    parser.add_argument("--company", default="Your company", help="who runs it; at most 32 characters")
    parser.add_argument("--version", default="1.0.0", help="raise it with each package that you upload")
    parser.add_argument("--out", default="rolecall-teams.zip", type=Path, help="the package")
    options = parser.parse_args(given)
    wrong = [
        f"--app-id: {options.app_id!r} is not a GUID in lower case" if not GUID.fullmatch(options.app_id) else "",
        f"--host: {options.host!r} is not a host name" if not HOST.fullmatch(options.host) else "",
        f"--version: {options.version!r} is not of the form 1.0.0" if not VERSION.fullmatch(options.version) else "",
        f"--name: {options.name!r} has not 1 to 30 characters" if not 1 <= len(options.name) <= 30 else "",
        f"--company: {options.company!r} has not 1 to 32 characters" if not 1 <= len(options.company) <= 32 else "",
    ]
    if any(wrong):
        sys.stderr.write("\n".join(one for one in wrong if one) + "\n")
        return 2
    places = {
        "APP_ID": options.app_id,
        "HOST": options.host,
        "NAME": options.name,
        "COMPANY": options.company,
        "VERSION": options.version,
    }
    with zipfile.ZipFile(options.out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.json", json.dumps(filled(places), indent=2, ensure_ascii=False))
        for icon in ("color.png", "outline.png"):
            package.write(HERE / icon, icon)
    sys.stdout.write(f"{options.out}: upload it in the Teams admin center\n")
    return 0


def filled(places: dict[str, str]) -> object:
    """The manifest with the places filled; a value cannot break out of its string."""
    text = (HERE / "manifest.json").read_text(encoding="utf-8")
    for name, value in places.items():
        text = text.replace("{{" + name + "}}", json.dumps(value, ensure_ascii=False)[1:-1])
    return json.loads(text)


if __name__ == "__main__":
    raise SystemExit(main())
