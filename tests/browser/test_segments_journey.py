"""What a marketer does on the Segments page, in a real browser, against a real server."""

import csv
import hashlib
import sqlite3
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser

WAIT = 120
EXPORT = "#segments-export"


@pytest.fixture
def page(dash_br, desk):
    """Opens an address of the desk and waits for its export button to say how many."""

    class Page:
        driver = dash_br.driver
        downloads = dash_br.download_path

        def open(self, path="/"):
            dash_br.driver.get(desk.address + path)
            self.until(lambda: "Export" in self.text(EXPORT))
            return self

        def until(self, condition):
            return WebDriverWait(self.driver, WAIT).until(lambda _: condition())

        def text(self, selector):
            found = self.driver.find_elements(By.CSS_SELECTOR, selector)
            return found[0].text if found else ""

        def all(self, selector):
            return self.driver.find_elements(By.CSS_SELECTOR, selector)

        def says(self, selector, text):
            self.until(lambda: text in self.text(selector))

        def settled(self, selector):
            """What the selector finds, in the middle of the window: nothing drawn above it pushes it on any more."""
            stays = """
                const [selector, done] = arguments, it = document.querySelector(selector);
                if (!it || document.querySelector('[data-dash-is-loading=true]')) return done(false);
                it.scrollIntoView({block: 'center', behavior: 'instant'});
                const top = it.getBoundingClientRect().top;
                let frames = 12;
                const look = () => {
                    if (it.getBoundingClientRect().top !== top) return done(false);
                    return --frames ? requestAnimationFrame(look) : done(true);
                };
                requestAnimationFrame(look);"""
            self.until(lambda: self.driver.execute_async_script(stays, selector))
            return self.all(selector)[0]

        def errors(self):
            return [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    return Page()


def customers(desk, where="1 = 1"):
    """An independent query over the store: ids of the sample shop's RFM run."""
    query = f"""select c.customer_id from customers c
        join runs r on r.snapshot_id = c.snapshot_id
        join labels l on l.run_id = r.id and l.row_no = c.row_no
        join segments s on s.run_id = r.id and s.key = l.segment_key
        where r.id = {desk.shop["rfm"]} and {where} order by c.customer_id"""
    with sqlite3.connect(desk.database) as connection:
        return [row[0] for row in connection.execute(query)]


def test_filter_to_export(page, desk):
    everyone = customers(desk)
    page.open(f"/?run={desk.shop['rfm']}")
    page.says(EXPORT, f"Export {len(everyone):,} customers")
    page.says("#shell-synthetic", "synthetic")  # the mark, not the name of the data set
    box = next(item for item in page.all("#segments-rail label") if item.text.startswith("Champions"))
    box.click()
    champions = customers(desk, "s.name = 'Champions'")
    page.says(EXPORT, f"Export {len(champions):,} customers")
    assert 0 < len(champions) < len(everyone)
    assert "segment=Champions" in page.driver.current_url
    field = page.driver.find_element(By.CSS_SELECTOR, "#segments-rail input[type=number]")
    field.send_keys("50\t")
    wanted = customers(desk, "s.name = 'Champions' and c.clv >= 50")
    page.says(EXPORT, f"Export {len(wanted):,} customers")
    assert 0 < len(wanted) < len(champions)
    shown = page.text("#segments-kpis")
    assert f"{len(wanted):,}" in shown
    page.driver.execute_script("document.querySelector(arguments[0]).click()", EXPORT)  # wherever the page stands
    folder = Path(page.downloads)
    page.until(lambda: list(folder.glob("*.csv")))
    with next(iter(folder.glob("*.csv"))).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["customer_id"] for row in rows] == wanted
    assert {row["segment"] for row in rows} == {"Champions"}
    assert page.errors() == []


@pytest.mark.slow
def test_chosen_columns_and_a_control_group_are_what_is_downloaded(page, desk):
    """From the menu to the file, and from the page of exports back to the view."""
    run = desk.shop["rfm"]
    germans = customers(desk, "c.country = 'Germany'")
    page.open(f"/?run={run}&country=Germany")
    page.says(EXPORT, f"Export {len(germans):,} customers")
    press = page.driver.execute_script
    page.driver.find_element(By.CSS_SELECTOR, "#segments-bar .dropdown-toggle").click()
    page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, "#segments-choices-open").is_displayed())
    page.driver.find_element(By.CSS_SELECTOR, "#segments-choices-open").click()
    page.until(lambda: len(page.all("#segments-choices-ticked input")) > 20)
    press("document.querySelector('#segments-choices-columns input[value=table]').click()")
    press("document.querySelector('#segments-choices-control').click()")
    press("document.querySelector('#segments-choices-part input[value=campaign]').click()")
    left = len(germans) - int(len(germans) / 10 + 0.5)
    button = "#segments-choices-export"
    page.says(button, f"Export {left:,} customers")
    shown = press("return [...document.querySelectorAll('#segments-customers-chosen input:checked')].map(i => i.value)")
    page.driver.find_element(By.CSS_SELECTOR, button).click()
    folder = Path(page.downloads)
    page.until(lambda: list(folder.glob("*-campaign.csv")))
    file = next(iter(folder.glob("*-campaign.csv")))
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    ids = [row["customer_id"] for row in rows]
    assert len(ids) == left
    assert [name for name in germans if name in set(ids)] == ids
    assert set(rows[0]) == {*shown, "control_group"}
    page.driver.get(f"{desk.address}/exports?run={run}")
    page.says(".exports-table", hashlib.sha256(file.read_bytes()).hexdigest()[:8])
    page.driver.find_element(By.LINK_TEXT, "Open the view").click()
    page.says(EXPORT, f"Export {len(germans):,} customers")
    assert page.errors() == []


@pytest.mark.slow
def test_the_address_is_the_view_and_back_undoes(page, desk):
    run = desk.shop["rfm"]
    germans = customers(desk, "c.country = 'Germany'")
    page.open(f"/?run={run}&country=Germany")
    page.says(EXPORT, f"Export {len(germans):,} customers")
    page.says("#segments-chips", "Germany")
    page.driver.find_element(By.CSS_SELECTOR, "#segments-chips button").click()
    page.says(EXPORT, f"Export {len(customers(desk)):,} customers")
    assert "Germany" not in page.driver.current_url
    page.driver.back()
    page.says(EXPORT, f"Export {len(germans):,} customers")


@pytest.mark.slow
def test_a_box_over_a_chart_filters_by_two_ranges(page, desk):
    page.open(f"/?run={desk.shop['rfm']}&country=Germany")
    germany = int(page.text(EXPORT).split()[1])
    chart = "#segments-activity"
    page.until(lambda: page.all(f"{chart} [data-val=select]") and page.all(f"{chart} .nsewdrag"))
    page.settled(chart)
    assert not page.all(f"{chart} [data-val=lasso]"), "a lasso would select nothing"
    page.all(f"{chart} [data-val=select]")[0].click()
    ground = page.all(f"{chart} .nsewdrag")[0]
    wide, high = (int(ground.rect[side] * 0.2) for side in ("width", "height"))
    hand = ActionChains(page.driver).move_to_element(ground).move_by_offset(-2 * wide, 0).click_and_hold()
    hand.move_by_offset(wide, high).move_by_offset(wide, high).release().perform()
    page.until(lambda: "max_recency=" in page.driver.current_url and "max_frequency=" in page.driver.current_url)
    page.until(lambda: 0 < int(page.text(EXPORT).split()[1]) < germany)
    said, address = page.text(EXPORT), page.driver.current_url.removeprefix(desk.address)
    page.driver.get("about:blank")  # elsewhere, and back by the link
    assert page.open(address).text(EXPORT) == said


@pytest.mark.slow
def test_an_empty_result_names_the_filter(page, desk):
    page.open(f"/?run={desk.shop['rfm']}&min_clv=999999999")
    page.until(lambda: "CLV" in page.text("#segments-notice") or "CLV" in page.text("#segments-kpis"))
    page.says(EXPORT, "Export 0 customers")


@pytest.mark.slow
def test_no_country_column_is_said(page, desk):
    page.open(f"/?run={desk.cdnow['rfm']}")
    page.says("#segments-body", "do not say where customers live")
    assert page.errors() == []


@pytest.mark.slow
def test_dark_mode_stays(page, desk):
    page.open("/")
    page.driver.find_element(By.CSS_SELECTOR, "#shell-theme").click()
    theme = "return document.documentElement.dataset.bsTheme"
    page.until(lambda: page.driver.execute_script(theme) == "dark")
    page.open("/")
    assert page.driver.execute_script(theme) == "dark"


@pytest.mark.slow
def test_two_people_with_different_filters(page, desk):
    run = desk.shop["rfm"]
    page.open(f"/?run={run}&segment=Champions")
    first = page.driver.current_window_handle
    champions = page.text(EXPORT)
    page.driver.switch_to.new_window("tab")
    page.open(f"/?run={run}&segment=Hibernating")
    assert page.text(EXPORT) != champions
    page.driver.switch_to.window(first)
    page.driver.find_element(By.CSS_SELECTOR, "#segments-reset").click()
    page.says(EXPORT, f"Export {len(customers(desk)):,} customers")
