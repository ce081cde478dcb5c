"""The page in a real browser: a person types, ranks, moves a slider, and sees the order change."""

from __future__ import annotations

import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no browser: install the Debian package 'chromium'")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def opened(browser, served):
    """Return the page, which must ask nobody but the service and complain of nothing."""
    page = browser.new_page()
    complaints, asked = [], []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url)
    page.wait_for_selector("#context input")
    yield page
    page.close()
    assert complaints == []
    assert asked
    assert all(url.startswith((served.url, "data:")) for url in asked)


def order(page) -> list[str]:
    return page.locator("#ranking .what").all_inner_texts()


def ranked(page, action) -> list[str]:
    """Do something that ranks anew, and return the order after it."""
    with page.expect_response("**/rank"):
        action()
    page.wait_for_selector("#results[aria-busy=false]")
    return order(page)


def test_a_person_types_ranks_and_moves_a_slider(opened, served):
    page = opened
    page.fill("#context-user", "10000000003")
    page.fill("#ids", "i1\ni2\ni3\ni4\ni5\ni6")
    first = ranked(page, lambda: page.click("#rank"))
    answer = served.rank(model="first", context={"user": 10_000_000_003}, candidates=first, gates=True)
    assert first == [one["id"] for one in answer["candidates"]]
    figures = page.locator("#ranking tbody tr").first.locator("td").all_inner_texts()[3:]
    scores = answer["candidates"][0]["scores"]
    # what orders comes first
    wanted = [scores[name] for name in ("fused", "click", "stars")]
    assert [float(text) for text in figures] == pytest.approx(wanted, abs=1e-4)
    # the heat map is that of the row that is chosen
    page.locator("#ranking tbody tr").nth(1).click()
    shares = page.locator("#heat td").all_inner_texts()
    wanted = [share for of_task in answer["candidates"][1]["gates"].values() for share in of_task]
    assert [float(share) for share in shares] == pytest.approx(wanted, abs=0.006)
    # a power of -1 turns what it was made of around
    moved = ranked(page, lambda: page.locator("#weight-0").fill("-3"))
    assert moved != first
    assert sorted(moved) == sorted(first)
    assert "click^-3" in page.inner_text("#expression")
    assert ranked(page, lambda: page.click("#reset")) == first


def test_values_are_typed_where_there_is_no_item_table_and_mistakes_are_shown(opened, shelf, browser, serving):
    with serving(f"second={shelf.folder / 'second'}") as alone:
        page = browser.new_page()
        page.goto(alone.url)
        page.wait_for_selector("#rows input")
        page.click("#rank")
        page.wait_for_selector("#ranking tbody tr")
        assert len(order(page)) == 6
        assert page.locator("#fusion").is_hidden()
        assert page.locator("#gates").is_hidden()
        # what is named like the first column is shared; a column is moved there and back
        cells = page.locator("#rows tr").first.locator("input")
        assert (page.locator("#context input").count(), cells.count()) == (1, 3)
        page.locator("#candidates .move").first.click()
        assert (page.locator("#context input").count(), cells.count()) == (2, 2)
        page.locator("#context .move").last.click()
        assert (page.locator("#context input").count(), cells.count()) == (1, 3)
        page.locator("#rows input[name=price]").first.fill("dear")
        page.click("#rank")
        page.wait_for_selector("#error:not([hidden])")
        assert "price" in page.inner_text("#error")
        page.close()


def test_another_model_is_chosen(opened):
    page = opened
    page.select_option("#model", "second 1")
    ranked(page, lambda: page.click("#rank"))
    assert page.locator("#fusion").is_hidden()
    by_click = order(page)
    assert ranked(page, lambda: page.select_option("#by", "stars")) != by_click
