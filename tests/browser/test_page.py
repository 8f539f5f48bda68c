"""The page of `sera-swezero stats --html` in a real Chromium: it opens, asks for nothing, and can be used."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import inside

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    f"no browser: none of {', '.join(NAMES)} is on PATH (Debian: apt-get install chromium), "
    "and `playwright install chromium` has not been run"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, NAMES)), None) or playwright.chromium.executable_path
        if not Path(found).is_file():
            pytest.skip(MISSING)
        # Containers have no user namespaces for the sandbox; the page is our own.
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "sera.html"
    assert inside("stats", "sera", "--upstream", "sample", "--html", path).exit_code == 0
    return path


class Opened:
    """The page in a tab, and everything that the tab complained of or asked for."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab = browser.new_page(viewport={"width": 1360, "height": 900}, **options)
        self.tab.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(file.as_uri())

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.tab.locator(selector).all_text_contents()]


@pytest.fixture
def page(browser: Any, file: Path) -> Iterator[Opened]:
    opened = Opened(browser, file)
    yield opened
    assert opened.complaints == []
    assert opened.requests == [file.as_uri()], "the page asked for something other than itself"
    opened.tab.close()


def test_it_opens_without_a_complaint_and_asks_for_nothing(page: Opened) -> None:
    assert page.tab.title() == "sera: what is in it"
    headings = page.texts("h3")
    assert "Rows by teacher, scale and rollout" in headings
    assert "Line-level recall" in headings
    assert page.tab.locator(".plot svg").count() >= 9
    assert page.tab.locator("#list button").count() == 32
    page.tab.locator("#trajectories").scroll_into_view_if_needed()


def test_every_plot_is_drawn_within_its_frame(page: Opened) -> None:
    for frame in page.tab.locator(".plot").all():
        outer, inner = frame.bounding_box(), frame.locator("svg").bounding_box()
        assert outer is not None
        assert inner is not None
        assert 300 < inner["width"] <= outer["width"]
        assert inner["height"] > 100
    assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def test_search_narrows_the_list_and_marks_what_it_found(page: Opened) -> None:
    first = page.texts("#list button b")[0]
    page.tab.fill("#search", "SUMMARY of the")
    found = page.tab.locator("#list button").count()
    assert 0 < found < 32
    marks = page.texts("#trajectory mark")
    assert marks
    assert {mark.lower() for mark in marks} == {"summary of the"}
    page.tab.fill("#search", "no text says this")
    assert page.texts("#list") == ["Nothing matches."]
    assert page.tab.locator("#trajectory details").count() == 0
    page.tab.fill("#search", "")
    assert page.texts("#list button b")[0] == first


def hits(page: Opened, words: str) -> list[int]:
    """How often each sample says some words, counted from the data of the page."""
    samples = page.tab.evaluate("JSON.parse(document.getElementById('samples').textContent)")
    return [sum(message["text"].lower().count(words) for message in sample["messages"]) for sample in samples]


def test_hits_are_counted_and_gone_through_one_by_one(page: Opened) -> None:
    words = "summary of the"
    counts = hits(page, words)
    total = f"{sum(counts):,}"
    page.tab.fill("#search", words)
    said = page.tab.locator("#hits > span")
    assert said.text_content() == f"hit 1 of {total}"
    first = next(count for count in counts if count)
    for number in range(2, first + 2):
        page.tab.click("#next")
        assert said.text_content() == f"hit {number} of {total}"
        assert page.tab.locator("mark.current").count() == 1
        assert page.tab.locator("mark.current").is_visible()
    assert page.texts("#list button[aria-current=true] b") == page.texts("#list button b")[1:2], "the next trajectory"
    for number in range(first, 0, -1):
        page.tab.click("#previous")
        assert said.text_content() == f"hit {number} of {total}"
    page.tab.click("#previous")
    assert said.text_content() == f"hit {total} of {total}", "behind the first is the last"
    page.tab.fill("#search", "")
    assert page.tab.locator("#hits").is_hidden()


def test_a_trajectory_has_an_address(page: Opened, browser: Any, file: Path) -> None:
    button = page.tab.locator("#list button").nth(20)
    button.click()
    address = page.tab.url
    assert address.startswith(f"{file.as_uri()}#row=")
    assert page.tab.locator("#trajectory h3 a").get_attribute("href") == address.removeprefix(file.as_uri())
    shown = page.texts("#trajectory dl dd")
    tab = browser.new_page()
    tab.goto(address)
    assert [text.strip() for text in tab.locator("#trajectory dl dd").all_text_contents()] == shown
    assert tab.locator("#browser").bounding_box()["y"] < 5, "the page begins at the trajectory"
    tab.close()


def test_trajectories_and_plots_come_before_the_tables(page: Opened) -> None:
    assert page.texts("h2") == ["Trajectories", "Plots", "Tables"]
    assert page.texts("nav a") == ["Trajectories", "Plots", "Tables"]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_stays_where_it_is_while_somebody_types(width: int, browser: Any, file: Path) -> None:
    opened = Opened(browser, file)
    opened.tab.set_viewport_size({"width": width, "height": 844})
    opened.tab.locator("#search").click()
    at = opened.tab.evaluate("scrollY")
    for key in "summary of zz":
        opened.tab.keyboard.type(key)
        assert opened.tab.evaluate("scrollY") == at, f"the page jumped at {key!r}"
    opened.tab.close()


def test_sets_and_outcomes_narrow_the_list(page: Opened) -> None:
    page.tab.select_option("#set", "glm-4.6-lite-t2")
    assert page.tab.locator("#list button").count() == 8
    assert all("glm-4.6-lite-t2" in text for text in page.texts("#list button"))
    page.tab.select_option("#status", "submitted")
    assert page.tab.locator("#list button").count() == 8


def test_messages_fold_and_unfold(page: Opened) -> None:
    messages = page.tab.locator("#trajectory details").count()
    assert messages > 5
    page.tab.click("#fold")
    assert page.tab.locator("#trajectory details[open]").count() == 0
    page.tab.click("#unfold")
    assert page.tab.locator("#trajectory details[open]").count() == messages
    page.tab.locator("#trajectory details summary").first.click()
    assert page.tab.locator("#trajectory details[open]").count() == messages - 1


def test_roles_have_colours_and_can_be_hidden(page: Opened) -> None:
    colours = page.tab.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#trajectory details")].map(
            details => [details.className, getComputedStyle(details).borderLeftColor]))"""
    )
    assert len(colours) >= 5
    assert len(set(colours.values())) == len(colours), f"two roles look alike: {colours}"
    page.tab.uncheck("input[name=tool_output]")
    assert page.tab.locator("#trajectory .tool_output").count() == 0
    assert page.tab.locator("#trajectory .tool_call").count() > 0


def test_hostile_text_is_shown_and_never_run(page: Opened) -> None:
    """The sample holds tags, scripts and control characters; they are text here."""
    samples = page.tab.evaluate("JSON.parse(document.getElementById('samples').textContent)")
    text = page.tab.evaluate("document.querySelector('#trajectory pre').textContent")
    assert text == samples[0]["messages"][0]["text"]
    assert page.tab.locator("#trajectory pre *:not(mark)").count() == 0


def test_light_and_dark(browser: Any, file: Path) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        opened = Opened(browser, file, color_scheme=scheme)
        look = """getComputedStyle(document.body).backgroundColor
            + getComputedStyle(document.querySelector(".plot text")).fill"""
        seen[scheme] = opened.tab.evaluate(look)
        opened.tab.click("#theme")
        seen[f"{scheme}, switched"] = opened.tab.evaluate(look)
        assert opened.complaints == []
        opened.tab.close()
    assert seen["light"] == seen["dark, switched"]
    assert seen["dark"] == seen["light, switched"]
    assert seen["light"] != seen["dark"]


def test_a_screenshot_shows_the_page(browser: Any, file: Path, tmp_path: Path) -> None:
    opened = Opened(browser, file)
    opened.tab.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 100_000
    assert opened.complaints == []
    opened.tab.close()
