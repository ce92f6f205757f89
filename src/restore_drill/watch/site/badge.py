"""A badge: the state of a series as a small picture for a README or a wiki."""

from __future__ import annotations

from html import escape

from restore_drill.core.printable import printable

COLOURS = {"good": "#1a7f4b", "bad": "#c02b2b", "note": "#4a5a78"}
LABEL = "restore drill"
CHARACTER, MARGIN = 6.6, 12
"""Width of a character of the badge's font, and what is free beside a text, in pixels."""

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{label}: {text}"><title>{label}: {text}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3b4452"/>\
<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{label_at}" y="14" textLength="{label_length}">{label}</text>
<text x="{text_at}" y="14" textLength="{text_length}">{text}</text></g></svg>
"""


def badge(text: str, state: str) -> str:
    """SVG that says `text` in the colour of `state`: `good`, `bad` or `note`."""
    text = printable(text)
    left, right = (round(len(each) * CHARACTER) + MARGIN for each in (LABEL, text))
    return SVG.format(
        label=LABEL,
        text=escape(text, quote=True),
        width=left + right,
        left=left,
        right=right,
        colour=COLOURS[state],
        label_at=left / 2,
        text_at=left + right / 2,
        label_length=left - MARGIN,
        text_length=right - MARGIN,
    )
