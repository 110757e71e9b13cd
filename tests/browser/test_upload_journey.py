"""From a file on somebody's disk to segments, in a real browser: choose, say how dates are meant, check, create."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.dashboard.uploading import export, lines_of
from tests.serving import serving

pytestmark = pytest.mark.browser

WAIT = 120


@pytest.fixture
def shop(tmp_path):
    """A server with nothing in it, and a worker beside it."""
    environ = {"SEGMENTRY_WORKER_IN_SERVER": "true", "SEGMENTRY_ENGINES_USE": '["rfm"]'}
    with serving(tmp_path, **environ) as address:
        yield address


@pytest.mark.slow
def test_from_a_file_to_segments(dash_br, shop, tmp_path):
    driver = dash_br.driver
    content = export()
    file = tmp_path / "export.csv"
    file.write_bytes(content)

    def find(selector):
        return driver.find_element(By.CSS_SELECTOR, selector)

    def text(selector):
        found = driver.find_elements(By.CSS_SELECTOR, selector)
        return found[0].text if found else ""

    def until(condition):
        return WebDriverWait(driver, WAIT).until(lambda _: condition())

    def press(selector):
        driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", find(selector))
        find(selector).click()

    driver.get(f"{shop}/")
    until(lambda: "No customers yet" in text("body"))
    press("a.btn[href^='/data']")
    until(lambda: "up to 1,024 MB" in text("#data-drop"))
    wrong = tmp_path / "notes.docx"
    wrong.write_bytes(b"x")
    find("#data-file").send_keys(str(wrong))
    until(lambda: "files of this kind cannot be read" in text("#data-trouble"))

    find("#data-file").send_keys(str(file))
    until(lambda: "upload=1" in driver.current_url)
    until(lambda: "01 Feb" in text("#data-questions") or "January" in text("#data-questions"))
    assert not find("#data-check").is_enabled()
    driver.refresh()  # the upload is in the address
    until(lambda: text("#data-questions"))
    press("#data-questions input[value='day-first']")
    until(lambda: find("#data-check").is_enabled())
    press("#data-check")
    until(lambda: text(".seg-ledger"))
    numbers = [
        row.find_element(By.CSS_SELECTOR, "td").text
        for row in driver.find_elements(By.CSS_SELECTOR, ".seg-ledger tbody tr")
    ]
    assert numbers[:3] == [str(lines_of(content)), "1", str(lines_of(content) - 1)]
    until(lambda: find("#data-create").is_enabled())
    press("#data-create")
    until(lambda: "is made" in text("#data-outcome"))
    severe = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []

    def segmented():
        driver.get(f"{shop}/")
        return WebDriverWait(driver, 20).until(lambda _: text("#segments-export") or text(".seg-empty"))

    until(lambda: "Export 30 customers" in segmented())
