"""What operations does on the Compare page, in a real browser, against a real server."""

import csv
import sqlite3
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = pytest.mark.browser

WAIT = 120


def disagreeing(desk, segment, elsewhere):
    """An independent query over the store: ids of those in one segment by RFM and in another by K-means."""
    query = """select c.customer_id from customers c
        join runs r on r.snapshot_id = c.snapshot_id
        join labels a on a.run_id = r.id and a.row_no = c.row_no
        join segments s on s.run_id = a.run_id and s.key = a.segment_key
        join labels b on b.run_id = :other and b.row_no = c.row_no
        join segments t on t.run_id = b.run_id and t.key = b.segment_key
        where r.id = :one and s.name = :segment and t.name = :elsewhere order by c.customer_id"""
    asked = {"one": desk.shop["rfm"], "other": desk.shop["kmeans"], "segment": segment, "elsewhere": elsewhere}
    with sqlite3.connect(desk.database) as connection:
        return [row[0] for row in connection.execute(query, asked)]


@pytest.mark.slow
def test_two_runs_are_compared_and_their_disagreements_exported(dash_br, desk):
    driver = dash_br.driver

    def until(condition):
        return WebDriverWait(driver, WAIT).until(lambda _: condition())

    def found(selector):
        return driver.find_elements(By.CSS_SELECTOR, selector)

    driver.get(f"{desk.address}/compare?run={desk.shop['rfm']}")
    until(lambda: found("#compare-verdict") and found("#compare-agreement .main-svg"))
    assert found("#compare-captured .main-svg")  # these runs were checked against later sales
    until(lambda: found("#compare-sankey .sankey-link"))
    assert found("#compare-cross .main-svg")
    # the second run in the rows and the first in the columns, then back: the address remembers it
    columns = Select(driver.find_element(By.ID, "compare-other"))
    rows = Select(driver.find_element(By.ID, "compare-one"))
    assert (rows.first_selected_option.text, columns.first_selected_option.text) == ("RFM", "K-means k=4")
    offered = [option.get_attribute("value") for option in Select(driver.find_element(By.ID, "compare-to")).options]
    chosen = next(name for name in offered if disagreeing(desk, "Champions", name))
    Select(driver.find_element(By.ID, "compare-from")).select_by_value("Champions")
    Select(driver.find_element(By.ID, "compare-to")).select_by_value(chosen)
    expected = disagreeing(desk, "Champions", chosen)
    until(lambda: f"{len(expected):,} customer" in driver.find_element(By.ID, "compare-rows").text)
    assert len(found("#compare-rows tbody tr")) == min(len(expected), 10)
    found("#compare-export-csv")[0].click()
    folder = Path(dash_br.download_path)
    until(lambda: list(folder.glob("disagreement-*.csv")))
    with next(folder.glob("disagreement-*.csv")).open(newline="", encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    assert [row["customer_id"] for row in listed] == expected
    assert {(row["segment"], row["other_segment"]) for row in listed} == {("Champions", chosen)}
    # a link made of what is shown reproduces it
    address = driver.current_url
    driver.get(address)
    until(lambda: f"{len(expected):,} customer" in driver.find_element(By.ID, "compare-rows").text)
    assert Select(driver.find_element(By.ID, "compare-to")).first_selected_option.get_attribute("value") == chosen
    assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
