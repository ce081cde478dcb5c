"""Train a model on MovieLens, serve it, move a slider of its page in a browser, and write docs/images/sliders.gif.

    python scripts/slider_animation.py [FOLDER]

FOLDER is kept and used again; by default one that is removed. Needs Chromium (apt-get install chromium).
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from chromium import IMAGES, chromium, screenshot
from PIL import Image
from playwright.sync_api import Page

import gatewise as gw
from gatewise.datasets import movielens, split_by_time

FILE = IMAGES / "sliders.gif"
LARGEST = 600_000
FUSION = "1 * liked + 0.2 * rating + 0.5 * newness"
SLIDER, PATH = 2, (0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.8, 1.4, 1.0, 0.7, 0.4, 0.2, 0.0, 0.2, 0.4)
"""The slider of the weight of what is new, and where it goes: newer movies rise, then older ones."""
USER = {"user_id": 564, "hour": 20, "weekday": 5, "user_count": 120, "user_mean": 3.6}
MOVIES = (
    "Forrest Gump",
    "Pulp Fiction",
    "Titanic",
    "Casablanca",
    "Star Wars: Episode IV - A New Hope",
    "Inception",
    "Toy Story",
    "Psycho",
)
MILLISECONDS, COLOURS = 450, 48


def train(folder: Path) -> None:
    """Write an artefact with a fusion, and a table of movies, each with what is known of it at last."""
    table = movielens()
    # centuries since 1920; the first movies are older
    newness = pc.divide(pc.subtract(pc.fill_null(table["year"], 1990), 1920), 100.0)
    table = table.append_column("newness", newness)
    rows, valid, _ = split_by_time(table, "timestamp")
    schema = gw.Schema(
        features=[
            gw.Categorical("user_id", dim=16),
            gw.Categorical("movie_id", dim=16),
            gw.Sequence("genres", dim=8, separator="|"),
            gw.Categorical("hour", dim=4),
            gw.Categorical("weekday", dim=4),
            gw.Numeric("user_count", transform="log"),
            gw.Numeric("user_mean"),
            gw.Numeric("movie_count", transform="log"),
            gw.Numeric("movie_mean"),
        ],
        tasks=[gw.Binary("liked"), gw.Regression("rating")],
        known=["newness"],
    )
    model = gw.MMoE(experts=4, expert_dims=[64, 32], tower_dims=[32], l2_embedding=10)
    gw.Ranker(schema, model, fusion=FUSION, epochs=4, batch_size=1024, lr=2e-3).fit(rows, valid).save(folder / "movies")
    columns = ["title", "movie_id", "genres", "newness", "movie_count", "movie_mean"]
    latest = {row["title"]: row for row in table.sort_by("timestamp").select(columns).to_pylist()}
    pq.write_table(pa.Table.from_pylist([latest[title] for title in MOVIES]), folder / "items.parquet")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the service until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    items = ["--items", str(folder / "items.parquet"), "--item-key", "title", "--port", str(port)]
    command = [sys.executable, "-m", "gatewise", "serve", f"movies={folder / 'movies'}", *items]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            if process.poll() is not None:
                sys.exit("the service did not start")
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(0.3)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def pictures(page: Page, url: str) -> Iterator[Image.Image]:
    """Yield a picture of the page for every place of the slider."""
    page.goto(url)
    page.wait_for_selector("#ranking tbody tr")
    for name, value in USER.items():
        page.fill(f"#context-{name}", str(value))
    page.fill("#ids", "\n".join(MOVIES))
    with page.expect_response("**/rank"):
        page.click("#rank")
    before = None
    for place in PATH:
        if place != before:
            with page.expect_response("**/rank"):
                page.locator(f"#weight-{SLIDER}").fill(str(place))
        before = place
        page.wait_for_selector("#results[aria-busy=false]")
        page.wait_for_timeout(400)
        top, end = (page.locator(each).bounding_box() for each in ("#fusion", "#ranking"))
        assert top is not None
        assert end is not None
        high = end["y"] + end["height"] - top["y"] + 24
        clip = {"x": top["x"] - 8, "y": top["y"] - 8, "width": top["width"] + 16, "height": high}
        yield screenshot(page, clip=clip)


def main() -> None:
    """Write the animation."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else name)
        if not (folder / "items.parquet").exists():
            train(folder)
        with serving(folder) as url:
            taken = list(pictures(browser.new_page(viewport={"width": 1100, "height": 900}), url))
    # one palette for all, so that nothing flickers
    palette = taken[0].quantize(COLOURS)
    first, *others = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in taken]
    first.save(FILE, save_all=True, append_images=others, duration=MILLISECONDS, loop=0, optimize=True)
    print(f"{FILE.name}: {len(taken)} pictures of {first.size}, {FILE.stat().st_size:,} bytes")
    assert FILE.stat().st_size < LARGEST


if __name__ == "__main__":
    main()
