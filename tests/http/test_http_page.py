"""The page in a real browser: a person types, ranks, moves a slider, and sees the order change."""

from __future__ import annotations

import json
import subprocess

import pytest

pytest.importorskip("playwright.sync_api", reason="pip install playwright")


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
    # it ranks an example by itself
    page.wait_for_selector("#ranking tbody tr")
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
    # a negative power turns what it was made of around
    moved = ranked(page, lambda: page.fill("#number-0", "-3"))
    assert moved != first
    assert sorted(moved) == sorted(first)
    assert "click^-3" in page.inner_text("#expression")
    assert ranked(page, lambda: page.click("#reset")) == first


def test_values_are_typed_where_there_is_no_item_table_and_mistakes_are_shown(opened, shelf, browser, serving):
    with serving(f"second={shelf.folder / 'second'}") as alone:
        page = browser.new_page()
        page.goto(alone.url)
        page.wait_for_selector("#ranking tbody tr")
        assert len(order(page)) == 6
        # candidates are called by the column of ids that tells them apart
        assert set(order(page)) == {each.input_value() for each in page.locator("#rows input[name=item]").all()}
        assert page.locator("#samples").is_hidden()
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


ROWS = 'item;tags;price;user\ni3;a|b;2.5;10000000004\ni5;"b";1.25;10000000004\n'


def test_rows_are_pasted_explained_and_copied(browser, shelf, serving):
    with serving(f"second={shelf.folder / 'second'}", "--rows", shelf.folder / "rows.parquet") as alone:
        page = browser.new_page()
        page.goto(alone.url)
        page.wait_for_selector("#ranking tbody tr")
        # real rows are there, the first twelve
        assert page.locator("#sample option").all_inner_texts() == ["1 (12 rows)"]
        assert len(order(page)) == 12
        page.click("#open")
        page.fill("#pasted", "nothing;here\n1;2")
        page.click("#taken")
        assert "no column of the model found, but nothing, here" in page.inner_text("#unread")
        page.fill("#pasted", ROWS)
        ranked(page, lambda: page.click("#taken"))
        assert page.locator("#context-user").input_value() == "10000000004"
        assert [each.input_value() for each in page.locator("#rows input[name=price]").all()] == ["2.5", "1.25"]
        rows = [{"item": "i3", "tags": "a|b", "price": 2.5}, {"item": "i5", "tags": "b", "price": 1.25}]
        wanted = alone.rank(context={"user": 10_000_000_004}, candidates=rows)["candidates"]
        assert order(page) == [rows[one["index"]]["item"] for one in wanted]
        # a value's effect is what the score loses with the other candidate's value
        page.click("#explain")
        page.wait_for_selector("#effects tr")
        best, other = rows[wanted[0]["index"]], rows[wanted[1]["index"]]
        tried = [best, *({**best, name: other[name]} for name in best)]
        scores = [
            row["click"]
            for row in alone.client.post(
                "/predict", json={"rows": [{"user": 10_000_000_004, **row} for row in tried]}
            ).json()["rows"]
        ]
        effects = {
            row.locator("th").inner_text(): row.locator("td").nth(1).inner_text()
            for row in page.locator("#effects tr").all()
        }
        for name, score in zip(best, scores[1:], strict=True):
            assert float(effects[name].replace("\u2212", "-")) == pytest.approx(scores[0] - score, abs=1e-4)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click("#curl")
        page.locator("#curl", has_text="Copied").wait_for()
        command = page.evaluate("navigator.clipboard.readText()")
        answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
        assert json.loads(answer)["candidates"][0]["scores"] == pytest.approx(wanted[0]["scores"])
        page.set_viewport_size({"width": 375, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        page.close()


def test_a_weight_is_typed_and_an_unknown_item_is_named(opened):
    page = opened
    page.fill("#ids", "i1\ni99\ni2\ni3")
    ranked(page, lambda: page.click("#rank"))
    assert page.inner_text("#skipped") == "left out, as no item has the id: i99"
    assert page.locator("#weight-0").get_attribute("min") == "0"
    first = order(page)
    assert first
    ranked(page, lambda: page.locator("#weight-0").fill("2"))
    assert page.locator("#number-0").input_value() == "2"
    assert "click^2" in page.inner_text("#expression")
    assert "click^" in page.locator("#sliders code").first.inner_text()
