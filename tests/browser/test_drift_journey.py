"""Operations looks at the drift of a run: the timeline, its alarm line and table, what moved, and a link to it all."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = pytest.mark.browser

PATIENCE = 60


@pytest.mark.slow
def test_from_the_timeline_to_who_went_where(desk, dash_br):
    browser = dash_br.driver
    wait = WebDriverWait(browser, PATIENCE)

    def texts(selector):
        script = "return Array.from(document.querySelectorAll(arguments[0]), item => item.textContent)"
        return browser.execute_script(script, selector)

    def fits():
        return browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")

    link = f"{desk.address}/drift?run={desk.cdnow['kmeans']}"
    browser.get(link)
    wait.until(lambda _: "alarm line 0.8" in " ".join(texts("#drift-timeline .annotation-text")))
    assert "noise of refitting" in texts("#drift-timeline .legendtext")
    rows = texts("section table tbody tr")
    assert len(rows) == 15
    assert rows[0].startswith("1 Jul 1998") and rows[-1].startswith("1 May 1997")
    verdict = texts(".seg-lead")
    wait.until(lambda _: len(texts("#drift-shifts h3")) == 4)
    assert fits()

    # the bell is on the page, and the header runs off nowhere
    wait.until(lambda _: texts("#shell-bell summary"))
    assert browser.execute_script("return document.querySelector('.seg-bar').scrollWidth <= window.innerWidth")

    # the address tells the whole story: opened again it shows the same
    browser.get("about:blank")
    browser.get(link)
    wait.until(lambda _: texts("section table tbody tr") == rows)
    assert texts(".seg-lead") == verdict

    browser.find_element(By.PARTIAL_LINK_TEXT, "Who went where").send_keys(Keys.ENTER)
    wait.until(lambda _: "changed segment" in " ".join(texts("#migration-result p")))
    wait.until(lambda _: browser.find_elements(By.CSS_SELECTOR, "#migration-sankey .sankey-link"))
    Select(browser.find_element(By.ID, "migration-from")).select_by_value("1998-01-01")
    wait.until(lambda _: "From 1 Jan 1998 to 1 Jul 1998" in " ".join(texts("#migration-result p")))
    named = browser.find_element(By.LINK_TEXT, "Link to these dates").get_attribute("href")
    browser.get(named)
    wait.until(lambda _: "From 1 Jan 1998 to 1 Jul 1998" in " ".join(texts("#migration-result p")))
    browser.set_window_size(500, 900)
    wait.until(lambda _: fits())
    browser.get(link)
    wait.until(lambda _: len(texts("#drift-shifts h3")) == 4 and fits())
    browser.set_window_size(1400, 1000)
