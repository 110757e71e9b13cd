"""The HTML page that all pages are drawn into: its language, what its scripts say, and its style sheet."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from dashboard.i18n import texts
from dashboard.i18n.locales import manner_of

_INDEX = """<!DOCTYPE html>
<html lang="SEGMENTRY_LANGUAGE" data-numbers="SEGMENTRY_NUMBERS" data-percent="SEGMENTRY_PERCENT">
  <head>
    {%metas%}
    <title>{%title%}</title>
    <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
    <script type="application/json" id="texts">SEGMENTRY_TEXTS</script>
    <script src="/assets/theme.js?v=SEGMENTRY_VERSION"></script>
    {%css%}
  </head>
  <body>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
"""


def index_page(language: str) -> str:
    """The page around the pages: the language its texts are in, and what its scripts say."""
    tag = language.replace("_", "-")
    is_translated = texts.catalog_for(language, texts.FOLDER) is not None
    filled = {
        "SEGMENTRY_VERSION": version("segmentry"),
        "SEGMENTRY_NUMBERS": tag,
        "SEGMENTRY_PERCENT": manner_of(language).percent,
        "SEGMENTRY_LANGUAGE": tag if is_translated else "en",
        "SEGMENTRY_TEXTS": texts.browser_texts(language),
    }
    return re.sub("|".join(filled), lambda match: filled[match[0]], _INDEX)


def bootstrap_css() -> Path:
    """Bootstrap's style sheet where Bootstrap-Flask is installed; found without importing it."""
    spec = find_spec("flask_bootstrap")
    if spec is None or spec.origin is None:
        raise RuntimeError("Bootstrap-Flask, which brings Bootstrap's style sheet, is not installed.")
    return Path(spec.origin).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
