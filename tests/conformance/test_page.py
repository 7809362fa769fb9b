"""The report's page, in a real browser where one is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tensorcore_conformance import Judge, Limits
from tensorcore_conformance.report import examine_device

QUICK = Limits(examples=0)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


@pytest.fixture
def folder(plant, tmp_path) -> Path:
    """The report of a backend with failures, declared exceptions and a broken name or two."""
    judge = Judge(plant("excused_too_often", "ExcusedBackend"), ["maximum", "minimum", "tanh", "sum", "claims"], QUICK)
    report = examine_device(judge)
    report.subjects[2].note = "</script><b>not markup</b> & 'quotes'"
    report.write(tmp_path)
    return tmp_path


def test_what_comes_from_backends_is_never_markup(folder):
    page = (folder / "index.html").read_text("utf-8")
    assert page.count("</script>") == 2 and "<b>not markup" not in page.replace("<\\/script><b>not markup", "")


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    if BROWSER is None or DRIVER is None:
        pytest.skip("no Chromium with its driver is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1360,1400"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield opened
    opened.quit()


def rows(driver: Any) -> list[str]:
    """Names of the ops that are shown."""
    shown = "[...document.querySelectorAll('#matrix tr.op')].filter(row => !row.hidden).map(row => row.dataset.name)"
    return driver.execute_script(f"return {shown}")


def found(driver: Any, selector: str) -> Any:
    return driver.find_element("css selector", selector)


def test_the_page_sorts_filters_opens_and_links(driver, folder):
    address = (folder / "index.html").as_uri()
    driver.get(address)
    assert driver.get_log("browser") == []
    assert "cases fail" in driver.title
    everything = set(rows(driver))
    assert everything == {"maximum", "minimum", "tanh", "sum"}

    found(driver, "input[type=search]").send_keys("IMUM")
    assert set(rows(driver)) == {"maximum", "minimum"} and found(driver, "#count").text == "2 of 4"
    driver.execute_script(
        "const e = document.querySelector('input'); e.value = ''; e.dispatchEvent(new Event('input'))"
    )
    for status, shown in (
        ("failing", {"minimum"}),
        ("declared", {"maximum"}),
        ("native", everything),
        ("", everything),
    ):
        driver.execute_script(
            "const e = document.querySelector('select'); e.value = arguments[0]; e.dispatchEvent(new Event('change'))",
            status,
        )
        assert set(rows(driver)) == shown

    found(driver, "#matrix thead button").click()
    first = rows(driver)
    found(driver, "#matrix thead button").click()
    assert first == sorted(everything) or first == sorted(everything, reverse=True)
    assert rows(driver) == first[::-1]

    found(driver, "tr[data-name=minimum]").click()
    assert "remove the declaration" in found(driver, "tr.more").text and driver.current_url.endswith("#minimum")
    found(driver, "tr[data-name=minimum]").click()
    assert not driver.find_elements("css selector", "tr.more")

    driver.get("about:blank")
    driver.get(f"{address}#maximum")
    opened = found(driver, "tr.more").text
    assert "drops NaN" in opened and "float32" in opened and "replay(" in opened
    found(driver, "tr[data-name=tanh]").click()
    assert "not markup" in "".join(each.text for each in driver.find_elements("css selector", "tr.more"))
    assert driver.get_log("browser") == []


def test_the_page_fits_a_phone_and_the_dark(driver, folder):
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        driver.get((folder / "index.html").as_uri())
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
        back = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert max(int(part) for part in back[4:-1].split(",")) < 60
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_badge_is_drawn(driver, folder):
    driver.get((folder / "badge.svg").as_uri())
    width, height = driver.execute_script("const b = document.rootElement.getBBox(); return [b.width, b.height]")
    assert width > 150 and height == 20
    # What is written lies inside of what is drawn.
    for text in driver.execute_script("return [...document.querySelectorAll('text')].map(t => t.getBBox().width)"):
        assert text < width
