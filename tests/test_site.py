"""The site builds without a warning, searches both languages, and Chinese pages say what English ones say today."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import diagrams_in_chinese
import pytest
import twins

ROOT = Path(__file__).resolve().parent.parent
pytest.importorskip("mkdocs", reason="pip install 'gatewise[docs]'")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error: links, anchors, pages that stand in no list."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there_in_both_languages(site: Path) -> None:
    pages = [path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")]
    english = [page for page in pages if not page.name.endswith(".zh-CN")]
    for page in english:
        name = page.with_name("index" if page.name == "README" else page.name).as_posix() + ".html"
        assert (site / name).is_file()
        assert (site / "zh-CN" / name).is_file()


def test_a_page_offers_the_other_language_and_both_colours(site: Path) -> None:
    text = (site / "start.html").read_text(encoding="utf-8")
    assert 'href="zh-CN/start.html"' in text
    assert 'lang="en"' in text
    assert "prefers-color-scheme: dark" in text
    assert 'lang="zh' in (site / "zh-CN" / "index.html").read_text(encoding="utf-8")


def test_words_of_both_languages_are_found(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert {"en", "zh"} <= set(index["config"]["lang"])
    titles = {page["title"] for page in index["docs"]}
    assert {"Glossary", "术语表", "Options of a recipe"} <= titles


def test_docstrings_stand_on_the_page_of_the_api(site: Path) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in ("gatewise.Ranker.fit", "gatewise.Ranker.evaluate", "gatewise.load", "gatewise.nn.MMoE"):
        assert f'id="{name}"' in text


def test_formulas_are_drawn_by_the_browser(site: Path) -> None:
    for language in ("", "zh-CN/"):
        text = (site / language / "trunks" / "mmoe.html").read_text(encoding="utf-8")
        assert "<math" in text
        assert "arithmatex" not in text
        assert "$$" not in text


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in ("index.html", "options.html", "zh-CN/index.html"):
        text = (site / page).read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert '<link rel="stylesheet" href="http' not in text


@pytest.mark.parametrize(("page", "words"), [("index", "calibration"), ("zh-CN/index", "校准")])
def test_a_page_opened_as_a_file_finds_words(site: Path, browser: Any, page: str, words: str) -> None:
    opened = browser.new_page()
    opened.goto((site / f"{page}.html").as_uri())
    opened.wait_for_function("document.querySelector('.md-search__input') !== null")
    opened.evaluate("document.getElementById('__search').click()")
    opened.locator(".md-search__input").press_sequentially(words)
    opened.keyboard.press("Shift")
    opened.wait_for_selector(".md-search-result__item", timeout=30_000)
    opened.close()


def is_translated(page: Path) -> bool:
    names = ("index", "README") if page.stem == "index" else (page.stem,)
    return any((ROOT / "docs" / page.with_name(f"{name}.zh-CN.md")).exists() for name in names)


def test_pages_fit_a_phone(site: Path, browser: Any) -> None:
    """In light colours every page; dark ones change no width, and are looked at on the start page."""
    every = [path for path in sorted(site.rglob("*.html")) if "files" not in path.parts and path.name != "404.html"]
    # where there is no Chinese page the English one stands in both languages
    every = [path for path in every if "zh-CN" not in path.parts or is_translated(path.relative_to(site / "zh-CN"))]
    for scheme, pages in (("light", every), ("dark", [site / "index.html", site / "zh-CN" / "index.html"])):
        context = browser.new_context(viewport={"width": 375, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        for path in pages:
            page.goto(path.as_uri())
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{path.name} is {wider} pixels too wide"
        context.close()


def test_chinese_pages_are_of_the_english_text_of_today() -> None:
    stale = [page.name for page in twins.pages() if not twins.is_up_to_date(page)]
    assert not stale, f"translate the change, then: python scripts/twins.py {' '.join(stale)}"


def test_a_changed_english_page_is_seen(tmp_path: Path) -> None:
    english, chinese = tmp_path / "page.md", tmp_path / "page.zh-CN.md"
    english.write_text("# Page\n<!-- figures: begin -->\n1\n<!-- figures: end -->\n", encoding="utf-8")
    chinese.write_text("# 页\n", encoding="utf-8")
    assert not twins.is_up_to_date(chinese)
    twins.accept(chinese)
    assert twins.is_up_to_date(chinese)
    english.write_text("# Page\n<!-- figures: begin -->\n2\n<!-- figures: end -->\n", encoding="utf-8")
    assert twins.is_up_to_date(chinese)
    english.write_text("# Another page\n", encoding="utf-8")
    assert not twins.is_up_to_date(chinese)


def test_diagrams_have_chinese_twins_that_chinese_pages_show() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in twins.pages())
    for source in diagrams_in_chinese.sources():
        twin = diagrams_in_chinese.twin(source)
        assert twin.read_text(encoding="utf-8") == diagrams_in_chinese.in_chinese(source)
        assert twin.name in shown
        assert f"{source.stem}.svg)" not in shown
