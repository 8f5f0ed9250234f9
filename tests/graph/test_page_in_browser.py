"""The page in a real browser: it steps, computes the library's numbers, and is accessible."""

import math
import re
import string

import numpy as np
import pytest
from browser import chromium

from backprop import AddLayer, MulLayer, Sequential, TwoLayerNet, load_mnist_sample
from backprop.graph import graph_of, network_graph, trace
from backprop.graph.book import GRAPHS
from backprop.graph.digits import shown
from backprop.graph.metrics import NUMBERS, number_width, word_width
from backprop.layers import Affine, ReLU
from backprop.scalar import SigmoidLayer


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


def pictured(name):
    """Return a named graph, or the graph of a small network."""
    if name in GRAPHS:
        return graph_of(GRAPHS[name])
    return network_graph(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])


class Page:
    """The page of a picture, in a browser."""

    def __init__(self, browser, file, picture):
        self.browser, self.picture = browser, picture
        self.diagram = picture.diagram(local=True)
        file.write_text(picture.to_html(), encoding="utf-8")
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(file.as_uri())

    def script(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def text(self, identifier):
        return self.script("return document.getElementById(arguments[0]).textContent", identifier)

    def press(self, key, times=1):
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        self.browser.find_element(By.TAG_NAME, "body").send_keys(*[getattr(Keys, key)] * times)

    def click(self, identifier):
        self.script("document.getElementById(arguments[0]).click()", identifier)

    @property
    def steps(self):
        """The current step and the number of the last one."""
        return tuple(map(int, re.findall(r"\d+", self.text("count"))))

    def numbers(self, show):
        """Return the visible texts above ("forward") or below ("gradient") the edges, by edge."""
        found = self.script(
            "return [...document.querySelectorAll(`[data-show=${arguments[0]}] text:not(.unknown)`)]"
            ".map(text => [Number(text.dataset.edge), text.textContent])",
            show,
        )
        return dict(found)

    def local(self):
        found = self.script(
            "return [...document.querySelectorAll('[data-local]:not(.unknown)')]"
            ".map(text => [Number(text.dataset.local), text.textContent])"
        )
        return dict(found)

    def put(self, name, number):
        """Type a number into the field of an input."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        label = next(e for e in self.browser.find_elements(By.TAG_NAME, "label") if e.text.startswith(name))
        field = label.find_element(By.TAG_NAME, "input")
        field.send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.BACKSPACE, str(number))
        return field

    def now(self):
        """Return the titles of the active nodes."""
        nodes = self.script(
            "return [...document.querySelectorAll('circle.now, rect.now')].map(e => Number(e.dataset.node))"
        )
        return {self.diagram.nodes[node].title for node in nodes}


@pytest.fixture
def open_page(browser, tmp_path):
    """Yield a function that opens the page of a picture, and check afterwards that it logged no error."""

    def open_picture(picture):
        return Page(browser, tmp_path / "page.html", picture)

    yield open_picture
    assert browser.get_log("browser") == []
    sent = [e["message"] for e in browser.get_log("performance") if 'requestWillBeSent"' in e["message"]]
    assert not any(re.search(r'"url":"(https?|wss?):', message) for message in sent), "it asked for something"


@pytest.fixture(params=GRAPHS)
def function(request):
    return GRAPHS[request.param]


def expected(picture):
    """Return the forward, gradient and local texts of a complete picture, by edge."""
    from boxes import Drawn

    drawn = Drawn(picture.to_svg(local=True))
    local = {int(b.attributes["data-local"]): b.what for b in drawn.texts if "data-local" in b.attributes}
    return drawn.on_edges("forward"), drawn.on_edges("gradient"), local


def everything(page):
    return page.numbers("forward"), page.numbers("gradient"), page.local()


# ----------------------------------------------------------------------------------------------- the passes


def test_at_the_end_every_number_is_the_librarys(open_page, function):
    graph = graph_of(function)
    page = open_page(graph)
    assert page.numbers("gradient") == {} and page.local() == {}
    page.press("END")
    assert everything(page) == expected(graph)


def test_a_graph_without_a_backward_is_played_with_one(open_page):
    with trace() as graph:
        x = 3.0
        MulLayer().forward(x, MulLayer().forward(x, 2))
        AddLayer().forward(x, 1)
    page = open_page(graph)
    page.press("END")
    last = graph.outputs[-1]
    shown_last = page.numbers("gradient")
    assert set(shown_last.values()) == {"1", "–"}, "the other output has no part in it"
    assert "it has no part in the output" not in page.text("step")
    graph.backward(output=last)
    assert shown_last == expected(graph)[1]


def test_stepping_forward_and_back(open_page, function):
    """Each step forward shows more, and each step back shows what was shown before."""
    page = open_page(graph_of(function))
    seen, (at, last) = [everything(page)], page.steps
    assert at == 0
    for step in range(1, last + 1):
        page.press("ARROW_RIGHT")
        assert page.steps == (step, last)
        before, after = seen[-1], everything(page)
        assert all(a.items() <= b.items() for a, b in zip(before, after, strict=True)), "nothing goes away"
        seen.append(after)
    page.press("ARROW_RIGHT")
    assert page.steps == (last, last)
    for step in reversed(range(last)):
        page.press("ARROW_LEFT")
        assert everything(page) == seen[step]
    page.press("ARROW_LEFT")
    assert page.steps == (0, last)


def test_the_apple_step_by_step(open_page):
    page = open_page(graph_of(GRAPHS["apple"]))
    told = []
    for _ in range(6):
        told.append(page.script("return document.getElementById('step').innerText").split("\n"))
        told[-1] = [line for line in told[-1] if line]
        page.click("next")
    assert told == [
        ["The inputs", "The forward pass goes from left to right."],
        ["Forward through ×, which gives apple_price", "apple_price = apple × apple_num = 100 × 2 = 200"],
        ["Forward through ×, which gives price", "price = apple_price × tax = 200 × 1.1 = 220"],
        [
            "The backward pass begins",
            "The gradient of price with respect to itself is 1. It goes from right to left.",
        ],
        [
            "Backward through ×, which gives price",
            "The gradient 1 arrives. Each operand gets it times the local derivative:",
            "1 × 1.1 = 1.1 for apple_price",
            "1 × 200 = 200 for tax",
        ],
        [
            "Backward through ×, which gives apple_price",
            "The gradient 1.1 arrives. Each operand gets it times the local derivative:",
            "1.1 × 2 = 2.2 for apple",
            "1.1 × 100 = 110 for apple_num",
        ],
    ]  # fmt: skip
    assert page.now() == {"×, which gives apple_price"}


def test_at_a_branch_the_gradients_are_added(open_page):
    page = open_page(graph_of(GRAPHS["softmax-loss"]))
    page.press("END")
    while "branch of e₂" not in page.text("step"):
        page.press("ARROW_LEFT")
    assert "The gradients of the branches are added:0.01349 + −0.05502 = −0.04153" in page.text("step")


def test_the_keys_and_the_buttons_do_the_same(open_page):
    page = open_page(graph_of(GRAPHS["apple"]))
    for key, button, to in (
        ("ARROW_RIGHT", "next", 3),
        ("ARROW_LEFT", "back", 1),
        ("END", "last", 5),
        ("HOME", "first", 0),
    ):
        for move in (lambda key=key: page.press(key), lambda button=button: page.click(button)):
            page.press("HOME")
            page.press("ARROW_RIGHT", 2)
            move()
            assert page.steps[0] == to


def test_it_plays_by_itself_and_stops_at_the_end(open_page):
    from selenium.webdriver.support.ui import WebDriverWait

    page = open_page(graph_of(GRAPHS["apple"]))
    page.click("play")
    assert page.text("play") == "Pause"
    WebDriverWait(page.browser, 20).until(lambda _: page.steps[0] == 1)
    page.click("play")
    assert page.text("play") == "Play"
    page.press("END")
    page.press("ARROW_LEFT")
    page.click("play")
    WebDriverWait(page.browser, 20).until(lambda _: page.text("play") == "Play")
    assert page.steps == (5, 5)


# ---------------------------------------------------------------------------------------------- the numbers

CHANGES = {
    "apple": {"apple": 123.456, "tax": 1.08},
    "apple-orange": {"orange_num": -7, "apple": 0},
    "sigmoid": {"x": -2.5},
    "softmax-loss": {"a1": 5.25, "a3": -1, "t1": 1, "t2": 0},
}


@pytest.mark.parametrize("name", GRAPHS)
def test_other_inputs_give_the_librarys_numbers(open_page, name):
    page = open_page(graph_of(GRAPHS[name]))
    page.press("END")
    for i in range(1, len(CHANGES[name]) + 1):
        changed = dict(list(CHANGES[name].items())[:i])
        last = list(changed)[-1]
        page.put(last.translate(str.maketrans("123", "₁₂₃")), changed[last])
        graph = graph_of(GRAPHS[name], **changed)
        assert everything(page) == expected(graph)
        output = graph.outputs[0]
        assert page.text("message").endswith(f"{output.name} is {shown(output)}.")
    page.script("document.querySelector('[type=reset]').click()")
    assert everything(page) == expected(graph_of(GRAPHS[name]))


def test_an_input_can_be_changed_midway(open_page):
    page = open_page(graph_of(GRAPHS["apple"]))
    page.press("ARROW_RIGHT", 4)
    page.put("tax", 2)
    assert "1 × 200 = 200 for tax" in page.text("step") and "1 × 2 = 2 for apple_price" in page.text("step")
    assert set(page.numbers("gradient").values()) == {"1", "2", "200"}


def test_an_input_that_has_no_result_is_refused(open_page):
    page = open_page(graph_of(GRAPHS["softmax-loss"]))
    page.press("END")
    before = everything(page)
    paste = (
        "const field = document.querySelector('input'); field.value = arguments[0];"
        "field.dispatchEvent(new Event('input')); return field.getAttribute('aria-invalid')"
    )
    for number, words in (("1000", "exp(1000) is not a finite number"), ("", "a₁ must be a number")):
        assert page.script(paste, number) == "true" and words in page.text("message")
    assert everything(page) == before, "the picture shows the numbers from before"
    field = page.put("a₁", 1)
    assert field.get_attribute("aria-invalid") == "false" and everything(page) != before


def test_arrows_within_a_field_move_the_cursor(open_page):
    from selenium.webdriver.common.keys import Keys

    page = open_page(graph_of(GRAPHS["apple"]))
    page.put("apple", 5).send_keys(Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.HOME)
    assert page.steps[0] == 0


NASTY = [
    0.0, -0.0, 1000.5, -1000.5, 0.00099995, 0.000999949999, 9999.5, 99999.5, 999999.5, 9999999.5, 5e-324,
    1.7976931348623157e308, 1 / 3, 2.5e-7, 123456.5, 0.30000000000000004, 1.00005, 2.675, 1e21, 1e-7,
]  # fmt: skip


def test_numbers_are_written_as_the_library_writes_them(open_page):
    page = open_page(graph_of(GRAPHS["apple"]))
    numbers = NASTY + [-x for x in NASTY] + [x * 1.1 for x in NASTY if x < 1e300]
    for digits in (1, 4, 9, 17):
        found = page.script("return arguments[0].map(number => shown(number, arguments[1]))", numbers, digits)
        assert found == [shown(number, digits) for number in numbers]
    assert page.script("return [shown(1 / 0, 4), shown(-1 / 0, 4), shown(0 / 0, 4)]") == ["∞", "−∞", "nan"]


# --------------------------------------------------------------------------------------------- for everybody


def test_every_step_is_announced_and_every_field_has_a_name(open_page):
    page = open_page(graph_of(GRAPHS["apple"]))
    live = page.script("return document.getElementById('step').getAttribute('aria-live')")
    assert live == "polite" and page.script("return document.getElementById('message').role") == "status"
    unnamed = page.script(
        "return [...document.querySelectorAll('button, input, [tabindex]')]"
        ".filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"
    )
    assert unnamed == 0


def test_the_keyboard_reaches_everything_and_one_sees_where(open_page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = open_page(graph_of(GRAPHS["apple"]))
    reached = []
    page.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    for _ in range(12):
        where, outline = page.script(
            "const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.id || e.type || e.tagName, s.outlineStyle + ' ' + parseFloat(s.outlineWidth)]"
        )
        if where == "BODY":
            break
        assert outline in ("solid 3", "auto 1"), where
        reached.append(where)
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
    assert where == "BODY", "and leaves it again"
    assert reached[:6] == ["picture", "first", "back", "next", "last", "play"]
    assert reached[6:] == ["number"] * 3 + ["reset", "SUMMARY"]


def test_the_table_says_what_the_picture_shows(open_page):
    page = open_page(graph_of(GRAPHS["apple"]))
    page.press("END")
    rows = page.script(
        "return [...document.querySelectorAll('#numbers tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    assert rows[0] == ["apple", "×, which gives apple_price", "100", "2.2"]
    assert rows[-1] == ["×, which gives price", "price", "220", "1"]


def test_before_its_step_a_number_of_the_table_is_a_dash(open_page):
    page = open_page(graph_of(GRAPHS["sigmoid"]))
    rows = "return [...document.querySelectorAll('#numbers tr')].map(r => r.cells[arguments[0]].textContent)"
    assert page.script(rows, 2) == ["1", "−1", "–", "–", "1", "–", "–"]
    assert page.script(rows, 3) == ["–", "", "–", "–", "", "–", "–"], "a constant has no gradient"


class Power:
    """A user's own layer."""

    def forward(self, x, n):
        self.x, self.n = x, n
        return x**n

    def backward(self, dout):
        return dout * self.n * self.x ** (self.n - 1), dout * self.x**self.n * math.log(self.x)


def test_layers_of_the_users_own_show_what_was_recorded(open_page):
    with trace(Power) as graph:
        x, n = 1.5, 3.0
        y = AddLayer().forward(Power().forward(x, n), SigmoidLayer().forward(x))
    graph.backward(2.0)
    page = open_page(graph)
    assert page.script("return document.getElementById('inputs').hidden"), "no input can be changed"
    assert "The page cannot compute Power, so the inputs stay as recorded." in page.text("step")
    page.press("ARROW_RIGHT")
    assert "Power(x, n) = Power(1.5, 3) = 3.375" in page.text("step") and y == graph["y"]
    page.press("END")
    assert everything(page) == expected(graph)


@pytest.mark.parametrize("x", [-1000.0, -2.5, 0.0, 1000.0])
def test_the_page_computes_the_sigmoid_as_the_layer_does(open_page, x):
    def sigmoid(x=0.5):
        return SigmoidLayer().forward(x)

    page = open_page(graph_of(sigmoid))
    page.press("END")
    page.put("x", x)
    assert everything(page) == expected(graph_of(sigmoid, x=x))


@pytest.mark.parametrize("name", [*GRAPHS, "two-layer-net"])
def test_it_fits_a_telephone(open_page, name):
    page = open_page(pictured(name))
    metrics = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.press("END")
        assert page.script("return [innerWidth, document.documentElement.scrollWidth]") == [360, 360]
        box = "e => e.getBoundingClientRect()"
        heights = page.script(
            f"return [...document.querySelectorAll('#picture text')].map({box}).map(b => b.height)"
        )
        assert min(heights) >= 8.9, "letters of this height can be read"
        ends = page.script(
            f"return [...document.querySelectorAll('button, input')].map({box}).map(b => b.right)"
        )
        assert max(ends) <= 360
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_what_moves_holds_still_for_those_who_ask(open_page):
    page = open_page(graph_of(GRAPHS["softmax-loss"]))
    duration = "return getComputedStyle(document.querySelector('#picture text')).transitionDuration"
    assert page.script(duration) == "0.25s"
    reduced = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": reduced})
    assert page.script(duration) == "0s"
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def luminance(colour):
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["apple", "two-layer-net"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(open_page, scheme, name):
    """At least 4.5 : 1 against what lies behind it; for the picture, that is at worst an active node."""
    page = open_page(pictured(name))
    page.press("END")
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        _require_contrast(page, dark=scheme == "dark")
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def _require_contrast(page, dark):
    colours = page.script(
        """
        const active = getComputedStyle(document.querySelector('#picture rect.now')).fill;
        const behind = e => {
          for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
          }
        };
        const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        const all = [...document.querySelectorAll('body *')];
        return all.filter(e => e.checkVisibility() && hasText(e)).map(e => {
          const drawn = e.closest('svg'), style = getComputedStyle(e);
          return [e.textContent, drawn ? style.fill : style.color, drawn ? active : behind(e)];
        });
        """
    )
    assert len(colours) > 30
    for text, front, back in colours:
        assert (luminance(front) > luminance(back)) == dark, (text, front, back)
        higher, lower = sorted((luminance(front), luminance(back)), reverse=True)
        assert (higher + 0.05) / (lower + 0.05) >= 4.5, (text, front, back)


@pytest.mark.parametrize("name", [*GRAPHS, "two-layer-net"])
def test_no_text_is_wider_than_the_layout_thinks(open_page, name):
    """The widths assumed by the layout are upper bounds for the fonts of this browser."""
    page = open_page(pictured(name))
    texts = page.script(
        """
        return [...document.querySelectorAll('#picture text')].filter(e => e.textContent).map(e => {
          const style = getComputedStyle(e), family = e.closest('[font-family]').getAttribute('font-family');
          const size = parseFloat(style.fontSize);
          return [e.textContent, e.getComputedTextLength(), size, family, style.fontWeight];
        });
        """
    )
    assert texts
    for text, width, size, family, weight in texts:
        bound = number_width(text, size) if family == NUMBERS else word_width(text, size, weight == "700")
        assert width <= bound + 0.01, (text, family)


LETTERS = string.ascii_letters + string.digits + string.punctuation + "×−÷→·‖∂∞₁₂₃りんご代金äöüßéèñαβγδθλμσω"


@pytest.mark.parametrize("font", ["number", "word", "bold word"])
def test_no_letter_is_wider_than_the_layout_thinks(open_page, font):
    page = open_page(graph_of(GRAPHS["apple"]))
    of_font = "[data-show=forward] text" if font == "number" else "text[data-node]"
    measured = page.script(
        """
        const text = document.querySelector(`#picture ${arguments[0]}`);
        text.style.fontWeight = arguments[1] ? 'bold' : 'normal';
        const size = getComputedStyle(text).fontSize;
        return [...arguments[2]].map(letter => {
          text.textContent = letter.repeat(10);
          return [letter, text.getComputedTextLength() / 10, parseFloat(size)];
        });
        """,
        of_font,
        font == "bold word",
        LETTERS,
    )
    for letter, width, size in measured:
        bound = number_width(letter, size) if font == "number" else word_width(letter, size, "bold" in font)
        assert width <= bound + 0.01, (letter, width / size)


# -------------------------------------------------------------------------------------------------- networks


def test_a_network_plays_its_layers(open_page):
    (x, t), _ = load_mnist_sample()
    seen = network_graph(TwoLayerNet(rng=0), x[:10], t[:10])
    page = open_page(seen)
    assert page.script("return document.getElementById('inputs').hidden")
    assert page.steps == (0, 9)
    page.press("ARROW_RIGHT")
    assert "The input of Affine(784, 50) has shape (10, 784) and norm " in page.text("step")
    page.press("END")
    assert "Backward through Affine1" in page.text("step") and "for W1, " in page.text("step")
    assert (page.numbers("forward"), page.numbers("gradient")) == expected(seen)[:2]


def test_the_norm_of_a_parameter_gradient_appears_when_backward_reaches_its_layer(open_page):
    page = open_page(pictured("two-layer-net"))

    def norms():
        found = page.script(
            "return [...document.querySelectorAll('[data-after]:not(.unknown)')].map(e => e.textContent)"
        )
        return [text.split()[0] for text in found]

    first, second = ["‖dW1‖", "‖db1‖"], ["‖dW2‖", "‖db2‖"]
    seen = [norms()]
    for _ in range(page.steps[1]):
        page.press("ARROW_RIGHT")
        seen.append(norms())
    assert seen == [[]] * 7 + [second] * 2 + [first + second]


def test_a_network_in_rows_keeps_its_buttons_in_sight_and_the_active_layer_too(open_page):
    layers = [Affine(20) if i % 2 else ReLU() for i in range(40)]
    page = open_page(network_graph(Sequential(layers, 20, rng=0), np.ones((2, 20)), [3, 7]))
    metrics = {"width": 1000, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        for _ in range(3):
            page.press("ARROW_RIGHT", times=12)
            top, bottom, first, last, buttons = page.script(
                "const at = (what) => document.querySelector(what).getBoundingClientRect();"
                "const now = at('#picture rect.now'), box = at('#picture');"
                "return [now.top, now.bottom, box.top, box.bottom, at('#controls').bottom]"
            )
            assert first <= top < bottom <= last and buttons < 800
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_active_node_is_centred_where_the_picture_is_wider_than_the_page(open_page):
    page = open_page(pictured("two-layer-net"))
    metrics = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page.press("ARROW_RIGHT", times=3)
        left, right = page.script(
            "const box = document.querySelector('#picture rect.now').getBoundingClientRect();"
            "return [box.left, box.right]"
        )
        assert (left + right) / 2 == pytest.approx(180, abs=2)
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
