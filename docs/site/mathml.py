"""Formulas as MathML, made while the site is built: they need no script, no font and no other host."""

import re
from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

ALPHABETS = {"bold": 0x1D400, "sans-serif": 0x1D5A0}  # where the letters A to Z and a to z begin
STYLED = re.compile(r'<mi mathvariant="(bold|sans-serif)">([A-Za-z])</mi>')
WORD = re.compile(r'(?:<mi mathvariant="normal">\w</mi>){2,}')


def formula(latex: str, display: str) -> str:
    """Return a formula as MathML, with its source for screen readers and for copying."""
    made = convert(latex.strip(), display=display)
    made = STYLED.sub(lambda letter: f"<mi>{styled(*letter.groups())}</mi>", made)
    made = WORD.sub(lambda word: f"<mi>{re.sub('<.*?>', '', word[0])}</mi>", made)
    return made.replace("<math ", f'<math alttext="{escape(latex.strip())}" ', 1)


def styled(alphabet: str, letter: str) -> str:
    """Return the letter of another alphabet, since browsers ignore `mathvariant`."""
    place = ord(letter) - ord("A") if letter.isupper() else ord(letter) - ord("a") + 26
    return chr(ALPHABETS[alphabet] + place)


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    translator.body.append(formula(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula in a line of its own, which scrolls where it is wider than the screen."""
    translator.body.append(f'<div class="formula" tabindex="0">{formula(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
