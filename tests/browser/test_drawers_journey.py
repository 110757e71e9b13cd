"""From a row of the table to all about a customer and back, and from a filter to an audience, in a real browser."""

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_customer_a_segment_and_an_audience(dash_br, desk):
    driver, run = dash_br.driver, desk.shop["rfm"]

    def until(condition):
        ignored = [StaleElementReferenceException, NoSuchElementException]  # what is drawn anew is gone for a moment
        return WebDriverWait(driver, 20, ignored_exceptions=ignored).until(lambda _: condition())

    def text(selector):
        found = driver.find_elements(By.CSS_SELECTOR, selector)
        return found[0].text if found else ""

    def one(selector):
        return driver.find_element(By.CSS_SELECTOR, selector)

    driver.get(f"{desk.address}/?run={run}&country=Germany")
    until(lambda: "Export" in text("#segments-export"))

    # a customer: Enter on a row opens, Esc closes, the keyboard is where it was
    one("#segments-customers").location_once_scrolled_into_view  # noqa: B018 - it scrolls
    first = "#segments-customers .ag-row[row-index='0'] [col-id=customer_id]"
    customer = until(lambda: text(first))
    until(lambda: one(first).click() or True)
    until(lambda: f"Customer {customer}" in text(".side-panel"))
    until(lambda: "Orders" in text(".side-panel") and "Segments over time" in text(".side-panel"))
    assert f"customer={customer}" in driver.current_url
    assert one(".side-panel").rect["width"] < 600
    # an order opens to what was bought in it
    assert "×" not in text(".side-panel-orders")
    until(lambda: one(".side-panel-orders summary").click() or True)
    until(lambda: "×" in text(".side-panel-orders details[open]"))
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(lambda: not driver.find_elements(By.CSS_SELECTOR, ".side-panel"))
    until(lambda: "customer=" not in driver.current_url)
    assert "country=Germany" in driver.current_url
    until(lambda: "ag-cell" in (driver.switch_to.active_element.get_attribute("class") or ""))
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: f"customer={customer}" in driver.current_url and "Orders" in text(".side-panel"))

    # a link opens the same, and back closes it
    driver.get(f"{desk.address}/?run={run}")
    until(lambda: "Export" in text("#segments-export") and driver.find_elements(By.CSS_SELECTOR, ".about-button"))
    one(".about-button").click()
    until(lambda: "Rule" in text(".side-panel") and "about=" in driver.current_url)
    driver.back()
    until(lambda: not driver.find_elements(By.CSS_SELECTOR, ".side-panel") and "about=" not in driver.current_url)
    until(lambda: one(".about-button").send_keys(Keys.ENTER) or True)  # a mouse would miss what is just drawn anew
    until(lambda: "Filter to this segment" in text(".side-panel"))
    name = text(".side-panel .offcanvas-title")
    until(lambda: driver.find_element(By.LINK_TEXT, "Filter to this segment").send_keys(Keys.ENTER) or True)
    until(lambda: name in text("#segments-chips") and not driver.find_elements(By.CSS_SELECTOR, ".side-panel"))

    # what is in view becomes an audience
    one("#segments-audience-open").click()
    until(lambda: name in text("#segments-audience-words"))
    until(lambda: driver.switch_to.active_element.get_attribute("id") == "segments-audience-name")
    driver.switch_to.active_element.send_keys("The best", Keys.ENTER)
    until(lambda: "The best" in text("#segments-pinned"))
    exported = text("#segments-export")
    driver.get(f"{desk.address}/audiences")
    until(lambda: exported in text("#audiences-list"))
    one("[aria-label='The best'] a").send_keys(Keys.ENTER)
    until(lambda: name in text("#segments-chips") and text("#segments-export") == exported)
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
