"""Naming a segment by keyboard, in a real browser: seen at once, and back where one was."""

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser


def test_a_segment_is_named_by_keyboard(dash_br, desk):
    driver = dash_br.driver

    def until(condition):
        return WebDriverWait(driver, 60, ignored_exceptions=[StaleElementReferenceException]).until(
            lambda _: condition()
        )

    def one(selector):
        found = driver.find_elements(By.CSS_SELECTOR, selector)
        return found[0] if found else None

    driver.get(f"{desk.address}/run?run={desk.cdnow['kmeans']}")
    until(lambda: one(".seg-pencil"))
    before = one("#run-segments tbody a").text
    for name in ("Evergreens", before):  # and back again: other tests look at this run too
        one(".seg-pencil").send_keys(Keys.ENTER)
        until(lambda: driver.switch_to.active_element.get_attribute("id") == "run-name")
        driver.switch_to.active_element.send_keys(Keys.CONTROL, "a")
        driver.switch_to.active_element.send_keys(name, Keys.ENTER)
        until(lambda name=name: one("#run-segments tbody a").text == name and not one(".modal"))
        until(lambda: "seg-pencil" in (driver.switch_to.active_element.get_attribute("class") or ""))
        until(lambda name=name: name in one("#run-insights").text)
    one(".seg-pencil").send_keys(Keys.ENTER)
    until(lambda: driver.switch_to.active_element.get_attribute("id") == "run-name")
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(lambda: not one(".modal"))
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
