"""Build the site and take pictures of its start page: both languages, at a desk and on a phone, in light and dark.

    python scripts/site_pictures.py [SITE]

SITE is a site that `make docs` has built; by default it is built into a folder that is removed. Needs Chromium (apt-get
install chromium). Writes docs/images/site_light.png and site_dark.png.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from chromium import chromium, screenshot, write_picture
from PIL import Image
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
PAGES = ("index.html", "zh-CN/index.html")
WIDTHS = (1440, 375)
HEIGHT, GAP, COLOURS = 1000, 24, 128
LARGEST = 400_000


def build(folder: Path) -> Path:
    """Build the site into a folder, every warning an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=True)
    return folder


def picture(browser: Browser, path: Path, width: int, scheme: str) -> Image.Image:
    """Return what a window of this width shows first."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.goto(path.resolve().as_uri())
    taken = screenshot(page)
    page.close()
    return taken


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures of equal height in one row."""
    whole = Image.new("RGB", (sum(each.width + GAP for each in pictures) - GAP, HEIGHT), "#808080")
    left = 0
    for each in pictures:
        whole.paste(each, (left, 0))
        left += each.width + GAP
    return whole.quantize(COLOURS)


def main() -> None:
    """Take the picture of every colour."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        site = Path(sys.argv[1]) if len(sys.argv) > 1 else build(Path(folder))
        for scheme in ("light", "dark"):
            pictures = [picture(browser, site / page, width, scheme) for page in PAGES for width in WIDTHS]
            write_picture(f"site_{scheme}", side_by_side(pictures), LARGEST)


if __name__ == "__main__":
    main()
