"""The report's page, in a real browser where one is installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance import Judge, Limits
from tensorcore_conformance.op_checks import runs_as
from tensorcore_conformance.page import html
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
    assert page.count("</script>") == 2
    # In the matrix as text, and among the details as JSON, which a browser reads as raw text.
    assert page.count("<b>not markup") == page.count("<\\/script><b>not markup") <= 1


def test_without_a_script_nothing_but_what_is_opened_is_missing(folder):
    page = (folder / "index.html").read_text("utf-8")
    page = page[: page.index('<script type="application/json"')]
    for told in (
        "<tr id=tanh",
        "drops NaN",
        "remove the declaration",
        "replay(",
        "closest to its budget",
        "fail as declared",
    ):
        assert told in page


def test_a_page_of_areas_alone_has_no_matrix_and_one_without_subjects_no_lists():
    report = examine_device(Judge("cpu", ["claims"], QUICK))
    assert 'id="the-areas"' in html(report) and "<table id" not in html(report)
    report.subjects = []
    assert "all 0 cases pass" in html(report)


def test_failures_of_a_device_that_fails_everything_stay_few(plant):
    report = examine_device(Judge(plant("planted_tanh"), ["tanh"], QUICK))
    (subject,) = report.subjects
    subject.failures = subject.failures[:1] * 5000
    assert len(html(report)) < 60_000 and "and 4980 more: 4980 of" in html(report)


def test_a_fallback_is_told_from_native_and_composed(plant, monkeypatch):
    name = plant("unspoilt")
    backend = tc.device(name).backend
    monkeypatch.setattr(backend, "kernel", lambda name, dtype, index: None)
    try:
        tc.fallback.set_policy("allow")
        assert runs_as(REGISTRY["tanh"], name, frozenset((tc.float32,))) == "fallback"
    finally:
        tc.fallback.set_policy("error")
    assert runs_as(REGISTRY["tanh"], "unspoilt", frozenset((tc.float32,))) == "missing"
    report = examine_device(Judge("cpu", ["tanh"], QUICK))
    report.subjects[0].runs_as = "fallback"
    assert "<td class=fallback>fallback" in html(report) and "run on the host" in html(report)


def contrast(first: str, second: str) -> float:
    """WCAG's contrast of two colours."""
    levels = []
    for color in (first, second):
        parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        levels.append(0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
    return max(levels) / min(levels)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(theme):
    style = (files("tensorcore_conformance") / "assets/page.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", light if theme == "light" else dark))
    backs = ("back", "card", "head")
    pairs = [(word, back) for word in ("text", "dim", "accent", "bad") for back in backs]
    pairs += [(word, f"{word}-soft") for word in ("good", "bad", "known", "accent")]
    pairs += [("idle", "card"), ("known", "card"), ("text", "accent-soft"), ("dim", "accent-soft")]
    assert {pair: contrast(*map(colors.get, pair)) for pair in pairs if contrast(*map(colors.get, pair)) < 4.5} == {}


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
    shown = "[...document.querySelectorAll('#matrix tr[id]')].filter(row => !row.hidden).map(row => row.id)"
    return driver.execute_script(f"return {shown}")


def found(driver: Any, selector: str) -> Any:
    return driver.find_element("css selector", selector)


def test_the_page_sorts_filters_opens_and_links(driver, folder):
    from selenium.webdriver.common.keys import Keys

    address = (folder / "index.html").as_uri()
    driver.get(address)
    assert driver.get_log("browser") == []
    assert "1 fail" in driver.title
    everything = set(rows(driver))
    assert everything == {"maximum", "minimum", "tanh", "sum"}

    found(driver, "input[type=search]").send_keys("IMUM")
    assert set(rows(driver)) == {"maximum", "minimum"} and found(driver, "#the-count").text == "2 of 4"
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

    found(driver, "input[type=search]").send_keys("nothing")
    assert rows(driver) == [] and found(driver, "#the-none").is_displayed()
    found(driver, "#the-none button").click()
    assert set(rows(driver)) == everything

    found(driver, "#matrix thead button").click()
    first = rows(driver)
    assert found(driver, "#matrix thead th").get_attribute("aria-sort") == "ascending"
    found(driver, "#matrix thead button").click()
    assert first == sorted(everything)
    assert rows(driver) == first[::-1]

    found(driver, "#minimum th").click()
    assert "remove the declaration" in found(driver, "tr.more").text and driver.current_url.endswith("#minimum")
    found(driver, "#minimum th").click()
    assert not driver.find_elements("css selector", "tr.more")

    found(driver, "#minimum button").send_keys(Keys.ARROW_DOWN)
    active = driver.switch_to.active_element
    assert active.text == rows(driver)[rows(driver).index("minimum") + 1]
    active.send_keys(Keys.ENTER)
    assert active.get_attribute("aria-expanded") == "true" and found(driver, "tr.more")

    driver.get("about:blank")
    driver.get(f"{address}#maximum")
    opened = found(driver, "tr.more").text
    assert "drops NaN" in opened and "float32" in opened and "replay(" in opened
    found(driver, "#tanh th").click()
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
    # What is written lies inside of what is drawn, in its half.
    spans = driver.execute_script(
        "return [...document.querySelectorAll('text')].map(t => [t.getBBox().x, t.getBBox().x + t.getBBox().width])"
    )
    border = float(re.search("M([1-9][0-9]*) 0h", (folder / "badge.svg").read_text("utf-8"))[1])
    assert all(3 < left < right < border - 3 for left, right in spans[:2])
    assert all(border + 3 < left < right < width - 3 for left, right in spans[2:])
