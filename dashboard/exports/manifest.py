"""The slip that goes with an exported list: what is in it, of which run, and by what checksum it is known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from dashboard.exports.choices import RULE
from dashboard.frames import filters
from dashboard.i18n.texts import noted, say
from engines.errors import InputError
from storage.contract import Selection
from storage.contract.exports import Export


def conditions_of(export: Export) -> list[filters.Condition]:
    """Whom the list holds, as conditions in words; why they cannot be read, where an older version wrote them."""
    try:
        selection = Selection.from_query(parse_qsl(export.selection, keep_blank_values=True))
    except InputError as error:
        return [filters.Condition("", "", say(error.message))]
    return filters.condition_texts(selection, str(export.about.get("currency") or ""), export.about.get("names") or {})


def file_name(export: Export) -> str:
    """What the file was called, or could be."""
    return str(export.about.get("file") or f"export-{export.id}.{export.format}")


def view_of(export: Export) -> str:
    """The address of the page that shows the same customers."""
    return f"/?run={export.run_id}" + (f"&{export.selection}" if export.selection else "")


#: Lists that are not a selection of a run's customers, in words.
OTHERS = {
    "movers": noted("Customers that changed segment"),
    "disagreement": noted("Customers on whom two runs disagree"),
}


def repeat_url(export: Export) -> str:
    """The address under which the same list is made once more."""
    of_run = f"runs/{export.run_id}"
    routes = {"movers": f"{of_run}/movers", "disagreement": "compare/customers"}
    route = routes.get(str(export.about.get("list")), f"{of_run}/export")
    query = "&".join(part for part in (export.selection, str(export.about.get("query") or "")) if part)
    return f"/api/v1/{route}.{export.format}" + (f"?{query}" if query else "")


def manifest(export: Export) -> dict[str, Any]:
    """Everything that is known of an exported list, JSON-ready but for dates."""
    about = export.about
    return {
        "export": export.id,
        "state": export.state,
        "exported_at": export.exported_at,
        "user": export.user,
        "segmentry": about.get("version"),
        "list": about.get("list", "customers"),
        "file": {
            "name": file_name(export),
            "format": export.format,
            "rows": export.rows,
            "bytes": export.size,
            "sha256": export.sha256,
            "columns": export.columns,
        },
        "selection": {
            "query": export.selection,
            "conditions": [condition.words for condition in conditions_of(export)],
        },
        "control_group": None if export.control is None else {**asdict(export.control), "rule": RULE},
        "run": {"id": export.run_id, "engine": export.engine, "settings": about.get("engine_settings")},
        "snapshot": {
            "dataset": export.dataset,
            "title": about.get("title"),
            "as_of": export.as_of,
            "source": about.get("source"),
            "fingerprint": about.get("fingerprint"),
        },
        "again": repeat_url(export),
    }
