"""The ids of what stands on the Segments page, for the modules that it is made of."""

from __future__ import annotations

from dashboard.components import name_editor

PAGE = "segments"
SEARCH = "segments-search"  # the address's query string as it concerns this page
DRAWN = "segments-drawn"  # the run, query and address that the page shows now; None until it shows any
NOTICE = "segments-notice"
BODY = "segments-body"
HEAD = "segments-head"
BAR = "segments-bar"
CHIPS = "segments-chips"
PINNED = "segments-pinned"  # where pinned audiences stand
RESET = "segments-reset"
EXPORT = "segments-export"
EXPORT_XLSX = "segments-export-xlsx"
EXPORT_PARQUET = "segments-export-parquet"
KPIS = "segments-kpis"
INSIGHTS = "segments-insights"
TABLE = "segments-table"
CUSTOMERS = "segments-customers"
RAIL = "segments-rail"
EDITED = name_editor.edited(PAGE)
OPEN, CLOSE, BESIDE = "segments-open", "segments-close", "segments-beside"
COUNTRY_GROUP = "segments-country-group"
COUNTRY_SEARCH = "segments-country-search"
CATEGORY_GROUP = "segments-category-group"
SHAPE = "segments-shape"  # the box or lasso that was drawn: {"chart", "range" or "lassoPoints"}
LEGEND = "segments-legend"  # the segment whose name was clicked in a legend: {"name"}
