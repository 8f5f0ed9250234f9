"""The site in a browser: pages fit wide and narrow screens, graphs play, links to source files open them."""

import functools
import http.server
import threading

import pytest

from docs.site.paths import anchor

pytestmark = pytest.mark.slow
LOOKED_AT = (
    *("index.html", "learn.html", "guides.html", "guides/gradient_check.html"),
    *("tutorial/chapter5.html", "tutorial/chapter6.html", "tutorial/chapter6.ja.html"),
    *("tutorial/chapter7.html", "guides/convolution.html"),
    *("api/index.html", "api/networks.html", "api/gradient_check.html", "api/backends.html"),
    *("code/index.html", "code/inside.html", "code/floor0.html", "code/floor5.html", "benchmarks.html"),
    *("changelog.html", "README.ja.html"),
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def served(site):
    """The address of the site on a server of this process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser(served):
    from browser import chromium

    with chromium() as driver:
        yield driver


@pytest.fixture(params=[1280, 390])
def width(browser, request):
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return request.param


def own_errors(browser, served):
    """The errors in the console that come from files of the site."""
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [message for message in errors if message.startswith(served)]


@pytest.mark.parametrize("page", LOOKED_AT)
def test_a_page_fits_the_screen(browser, served, width, page):
    browser.get(served + page)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    assert own_errors(browser, served) == []


def test_an_embedded_graph_plays(browser, served, width):
    browser.get(f"{served}index.html")
    frame = browser.find_element("css selector", "figure.graph iframe")
    browser.execute_script("arguments[0].scrollIntoView()", frame)
    browser.switch_to.frame(frame)
    wait_for(lambda: browser.execute_script("return document.readyState") == "complete")
    said = browser.find_element("id", "step").text
    browser.execute_script("document.getElementById('next').click()")
    assert browser.find_element("id", "step").text != said
    assert "apple_price = apple × apple_num = 100 × 2 = 200" in browser.find_element("id", "step").text
    inner = browser.execute_script("return document.documentElement.offsetHeight")
    browser.switch_to.default_content()
    wait_for(lambda: abs(frame.size["height"] - inner) < 10)  # nothing of it has to be scrolled to
    assert own_errors(browser, served) == []


@pytest.mark.parametrize(("theme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 30)")])
def test_a_graph_follows_the_theme_of_the_site(browser, served, theme, paper):
    browser.get(f"{served}index.html")
    browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    frame = browser.find_element("css selector", "figure.graph iframe")
    browser.execute_script("arguments[0].scrollIntoView()", frame)
    browser.switch_to.frame(frame)
    script = "return document.body && getComputedStyle(document.body).backgroundColor"
    wait_for(lambda: browser.execute_script(script) == paper)
    browser.switch_to.default_content()


def test_nothing_moves_while_a_graph_plays(browser, served, width):
    browser.get(f"{served}learn.html")
    for frame in browser.find_elements("css selector", "figure.graph iframe"):
        browser.execute_script("arguments[0].scrollIntoView()", frame)
        browser.switch_to.frame(frame)
        wait_for(lambda: browser.execute_script("return document.readyState") == "complete")
        steps = int(browser.find_element("id", "count").text.split()[-1])
        height = "document.documentElement.offsetHeight"
        script = f"document.getElementById('next').click(); return {height}"
        heights = {browser.execute_script(f"return {height}")}
        assert heights == {browser.execute_script(script) for _ in range(steps)}
        browser.switch_to.default_content()


def test_a_button_opens_all_files_of_a_package(browser, served):
    browser.get(f"{served}code/floor3.html")
    group = browser.find_element("css selector", ".sources")
    button = group.find_element("css selector", "button.open-all")
    counts = len(group.find_elements("css selector", "details.source"))
    browser.execute_script("arguments[0].click()", button)
    assert len(group.find_elements("css selector", "details[open].source")) == counts > 1
    assert browser.find_elements("css selector", "details.source.first")
    wait_for(lambda: button.text == "Close all")


def test_a_link_to_a_source_file_opens_it(browser, served, width):
    browser.get(f"{served}code/floor2.html#{anchor('backprop/layers/relu.py')}")
    code = browser.find_element("css selector", "details[open].source pre")
    assert "class ReLU(Layer)" in code.text
    assert len(browser.find_elements("css selector", "details.source")) > 20
    assert len(browser.find_elements("css selector", "details[open].source")) == 1


def wait_for(holds, seconds=5.0):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(None, seconds, poll_frequency=0.05).until(lambda _: holds())
