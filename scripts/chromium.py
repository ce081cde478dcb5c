"""A browser without a window, and the pictures that it takes for docs/images."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser for the length of a block; end the program where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def screenshot(page: Page, **options: Any) -> Image.Image:
    """Return what a page shows."""
    return Image.open(io.BytesIO(page.screenshot(**options))).convert("RGB")


def write_picture(name: str, picture: Image.Image, largest: int) -> None:
    """Write a picture of docs/images, and say how large it is; ``largest`` is a size in bytes that it must keep."""
    path = IMAGES / f"{name}.png"
    picture.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes")
    assert size < largest, path
