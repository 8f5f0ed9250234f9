"""Draw the picture of a convolution of 3 × 3 pixels by a 2 × 2 kernel: windows as columns, and the way back.

    python docs/windows.py        writes docs/pictures/windows.svg

Which pixel stands where comes from the function that Conv2D uses, so the picture shows what the layer does.
"""

from pathlib import Path

from backends import get_backend
from backprop.layers.windows import windows
from backprop.reporting.files import write

FILE = Path(__file__).parent / "pictures" / "windows.svg"
TITLE = "The windows of an image as the columns of a matrix, and their gradients added back to the pixels"
COLOURS = ("#1f5fa8", "#d9622b", "#2e8b57", "#8e5ea2")  # of the windows, in order
INK, RED, GREY, PAPER, PLAIN = "#111111", "#b3261e", "#767676", "#ffffff", "#f2f2f2"
PIXELS, WEIGHTS, LOW = "abcdefghi", "pqrs", "₀₁₂₃"
SIZE, KERNEL, COUNT = 3, 2, 4  # pixels along a side, values along a side of the kernel, windows
WIDTH, HEIGHT, BACKWARD = 760, 562, 286  # of the picture, and where its lower half begins
CELL, LARGE = 40, 84  # sides of a cell, and of a cell of dx
FONT = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


def pixels_under() -> list[list[int]]:
    """Return which pixel lies under each position of the kernel in each window: [position][window]."""
    xp = get_backend("numpy").xp
    image = xp.reshape(xp.arange(SIZE * SIZE), (1, 1, SIZE, SIZE))
    seen = windows(xp, image, (KERNEL, KERNEL), 1, 0)
    pixels: list[list[int]] = xp.reshape(seen, (KERNEL**2, COUNT)).tolist()
    return pixels


def picture() -> str:
    """Return the picture as SVG."""
    under = pixels_under()
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{TITLE}">',
            f"<title>{TITLE}</title>",
            f'<rect {size} fill="{PAPER}"/>',
            f'<g font-family="{FONT}" text-anchor="middle">',
            *_forward(under),
            f'<path d="M20 {BACKWARD - 32}H740" stroke="{GREY}" stroke-width="0.6"/>',
            *_backward(under),
            "</g></svg>\n",
        ]
    )


def _forward(under: list[list[int]]) -> list[str]:
    """Return the upper half: x, its windows as columns, and their product with the filter."""
    top, middle = 70, 70 + 2 * CELL
    parts = [_text(62, 30, "forward", letters=16), _text(84, top + 10, "x"), _arrow(154, 194, middle)]
    for i, pixel in enumerate(PIXELS):
        parts.append(_cell(24 + i % SIZE * CELL, top + 20 + i // SIZE * CELL, CELL, CELL, pixel))
    for w, colour in enumerate(COLOURS):
        inset, (down, right) = 4 + 2 * w, divmod(w, 2)
        place = f'x="{24 + right * CELL + inset}" y="{top + 20 + down * CELL + inset}" rx="5"'
        side = f'width="{KERNEL * CELL - 2 * inset}" height="{KERNEL * CELL - 2 * inset}"'
        parts.append(f'<rect {place} {side} fill="none" stroke="{colour}" stroke-width="2"/>')
    for k, weight in enumerate(WEIGHTS):
        parts.append(_cell(204 + k * CELL, middle - CELL / 2, CELL, CELL, weight))
        for w, colour in enumerate(COLOURS):
            parts.append(_cell(390 + w * CELL, top + k * CELL, CELL, CELL, PIXELS[under[k][w]], colour))
    for w, colour in enumerate(COLOURS):
        parts.append(_cell(586 + w * CELL, middle - CELL / 2, CELL, CELL, f"y{LOW[w]}", colour))
    above = middle - CELL / 2 - 10
    parts += [_text(284, above, "W"), _text(377, middle + 5, "·"), _text(568, middle + 5, "=")]
    return [*parts, _text(470, top - 10, "columns"), _text(666, above, "out")]


def _backward(under: list[list[int]]) -> list[str]:
    """Return the lower half: the gradients of the columns' entries, and their sums, which are dx."""
    top = BACKWARD + 12
    middle, cell, left = top + LARGE * SIZE / 2, 44, 338
    parts = [_text(66, BACKWARD, "backward", RED, 16), _text(24 + 1.5 * LARGE, BACKWARD + 2, "dx", RED)]
    for i in range(SIZE * SIZE):
        x, y = 24 + i % SIZE * LARGE, top + i // SIZE * LARGE
        parts.append(_cell(x, y, LARGE, LARGE, ""))
        terms = [(w, k) for w in range(COUNT) for k in range(KERNEL**2) if under[k][w] == i]
        rows, columns = sorted({w // 2 for w, _ in terms}), sorted({w % 2 for w, _ in terms})
        width, height = (LARGE - 8) / len(columns), (LARGE - 8) / len(rows)
        for w, k in terms:
            at = x + 4 + columns.index(w % 2) * width, y + 4 + rows.index(w // 2) * height
            parts.append(_cell(*at, width, height, f"{WEIGHTS[k]}g{LOW[w]}", COLOURS[w], 13))
    for k, weight in enumerate(WEIGHTS):
        y = middle + (k - 2) * cell
        parts.append(_cell(left + 4 * cell + 26, y, cell, cell, weight))
        for w, colour in enumerate(COLOURS):
            parts.append(_cell(left + w * cell, y, cell, cell, f"{weight}g{LOW[w]}", colour, 13))
    for w, colour in enumerate(COLOURS):
        parts.append(_cell(602 + w * 36, middle - 18, 36, 36, f"g{LOW[w]}", colour, 13))
    above = middle - 2 * cell - 10
    parts += [_arrow(left - 8, left - 56, middle), _text(left - 30, middle - 12, "add", letters=13)]
    parts += [_text(left + 2 * cell, above, "dcolumns", RED), _text(left + 4 * cell + 13, middle + 5, "=")]
    parts += [_text(left + 4.5 * cell + 26, above, "Wᵀ"), _text(593, middle + 5, "·")]
    return [*parts, _text(674, middle - 28, "dout", RED)]


def _cell(
    x: float, y: float, width: float, height: float, words: str, colour: str = "", letters: int = 15
) -> str:
    """Return a rectangle with a text, in the colour of its window if it has one."""
    fill = f'fill="{colour}" fill-opacity="0.22"' if colour else f'fill="{PLAIN}"'
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    shape = f'<rect {place} {fill} stroke="{GREY}" stroke-width="0.8"/>'
    return shape + _text(x + width / 2, y + height / 2 + 0.33 * letters, words, letters=letters)


def _text(x: float, y: float, words: str, colour: str = INK, letters: int = 15) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{letters}" fill="{colour}">{words}</text>' if words else ""


def _arrow(x: float, to_x: float, y: float) -> str:
    """Return a level arrow from x to to_x."""
    back = to_x - 8 if to_x > x else to_x + 8
    head = f"M{to_x:g} {y:g}L{back:g} {y - 4:g}L{back:g} {y + 4:g}Z"
    line = f'<path d="M{x:g} {y:g}H{back:g}" stroke="{GREY}" stroke-width="1.4"/>'
    return f'{line}<path d="{head}" fill="{GREY}"/>'


if __name__ == "__main__":
    write(FILE, picture())
