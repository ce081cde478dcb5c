"""Train the demo's model, write its report, and take the pictures of docs/images in a browser without a window.

    python scripts/report_pictures.py [RUN]

RUN is kept and used again; by default a folder that is removed. Needs Chromium (apt-get install chromium).
"""

from __future__ import annotations

import sys
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path

from chromium import chromium, screenshot, write_picture
from PIL import Image
from playwright.sync_api import Page

import gatewise as gw
from gatewise.declare import Recipe
from gatewise.jobs import ARTEFACT, find_tables, train_recipe

WIDTH, HEIGHT = 1240, 1500
LARGEST = 250_000
PICTURES = {"report_light": ("light", "body"), "report_dark": ("dark", "#gates")}
"""For each file the colours, and what stands at its top."""


def write_report(run: Path) -> Path:
    """Return the report of the demo's model on its test rows."""
    with as_file(files("gatewise") / "recipes" / "movielens.yaml") as path:
        recipe = Recipe.read(path, overrides=["training.conflict_every=20"])
    tables = find_tables(recipe, Path())
    if not (run / ARTEFACT).exists():
        train_recipe(recipe, tables, run)
    report = run / "report.html"
    ranker = gw.load(run / ARTEFACT)
    started, used = time.perf_counter(), time.process_time()
    ranker.report(report, tables.test, name="movielens")
    seconds, busy = time.perf_counter() - started, time.process_time() - used
    print(f"{report.stat().st_size:,} bytes in {seconds:.1f} s, of which {busy:.1f} s of a core")
    return report


def picture(page: Page, top: str) -> Image.Image:
    """Return a picture of the page from an element on."""
    page.evaluate("top => document.querySelector(top).scrollIntoView()", top)
    return screenshot(page)


def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        report = write_report(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder))
        for name, (scheme, top) in PICTURES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            page.goto(report.resolve().as_uri())
            write_picture(name, picture(page, top), LARGEST)


if __name__ == "__main__":
    main()
