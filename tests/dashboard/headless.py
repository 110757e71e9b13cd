"""A page as a browser fills it, without one: the layout, and every callback of the server that its parts ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient

Part = dict[str, Any]


def key_of(name: Any) -> str:
    """An id as callbacks write it: a text, or a mapping with its keys in order."""
    return json.dumps(name, sort_keys=True, separators=(",", ":")) if isinstance(name, dict) else str(name)


class Visit:
    """One page that was opened. ``parts``: its components by id; ``tree``: all of it, as JSON."""

    def __init__(self, client: FlaskClient, path: str, query: dict[str, str], preset: dict[str, Any] | None = None):
        """Open a page. ``preset``: properties ("id.property") that the browser's own scripts would fill in."""
        self.client = client
        self.tree = self._get("/_dash-layout")
        self.callbacks = self._get("/_dash-dependencies")
        self.parts: dict[str, Part] = {}
        self._seen: dict[str, str] = {}
        self._changed: list[tuple[str, str]] = []
        search = f"?{urlencode(query)}" if query else ""
        place = {"pathname": path, "search": search, "href": f"http://localhost{path}{search}"}
        self._index(self.tree)
        for name in ("_pages_location", "url"):
            if name in self.parts:
                self.parts[name].update(place)
        self.preset = {**(preset or {})}
        self.answered: list[str] = []
        self.change("_pages_location.pathname", path)
        self._settle()

    def change(self, what: str, value: Any, *, follow: bool = False) -> None:
        """Change a property ("id.property") as a hand or a script of the browser does, and call what listens to it.

        ``follow``: also what listens to the properties that change in turn.
        """
        name, _, prop = what.rpartition(".")
        self.parts[name][prop] = value
        changed = [(name, prop)]
        while changed:
            name, prop = changed.pop(0)
            self._changed.clear()
            for callback in self.callbacks:
                if any(each["property"] == prop and _listens(each["id"], name) for each in callback["inputs"]):
                    self._call(callback, f"{name}.{prop}")
            changed += self._changed if follow else []
        self._settle()

    def _settle(self) -> None:
        waiting = [each for each in self.callbacks if not each.get("prevent_initial_call")]
        for _ in range(6):
            if not sum(self._call(callback) for callback in waiting):
                break

    def _get(self, path: str) -> Any:
        return json.loads(self.client.get(path).data)

    def _index(self, node: Any) -> None:
        for component in components(node):
            name = component["props"].get("id")
            if name is not None:
                self.parts[key_of(name)] = component["props"]
        for name, value in getattr(self, "preset", {}).items():
            part, _, prop = name.rpartition(".")
            if part in self.parts:
                self.parts[part].setdefault(prop, value)

    def _call(self, callback: Part, changed: str = "") -> bool:
        """Call what has not been called with these inputs, where all of them are on the page."""
        if callback.get("clientside_function"):
            return False
        inputs = [self._filled(each) for each in callback["inputs"]]
        if any(each is None for each in inputs):
            return False
        outputs = [self._targets(text) for text in _parted(callback["output"])]
        if not any(outputs):
            return False
        state = [self._filled(each) or [] for each in callback.get("state", ())]
        asked = json.dumps(inputs, sort_keys=True)
        if self._seen.get(callback["output"]) == asked:
            return False
        self._seen[callback["output"]] = asked
        several = callback["output"].startswith("..")
        body = {
            "output": callback["output"],
            "outputs": outputs if several else outputs[0],
            "inputs": inputs,
            "state": state,
            "changedPropIds": [changed] if changed else [],
        }
        answer = self.client.post("/_dash-update-component", json=body)
        assert answer.status_code in (200, 204), (callback["output"], answer.data[:500])
        self.answered.append(callback["output"])
        if answer.status_code == 200:
            found = json.loads(answer.data)
            for name, values in {**found.get("response", {}), **found.get("sideUpdate", {})}.items():
                self.parts.setdefault(name, {}).update(values)
                self._changed += [(name, prop) for prop in values]
                for value in values.values():
                    self._index(value)
        return True

    def _filled(self, wanted: Part) -> Any:
        """An input or state with its value; a list of them for a pattern; None where its part is not on the page."""
        name, prop = wanted["id"], wanted["property"]
        if name.startswith("{"):
            found = [part for part in self.parts if _fits(part, json.loads(name))]
            return [{"id": json.loads(part), "property": prop, "value": self.parts[part].get(prop)} for part in found]
        if name not in self.parts:
            return None
        return {"id": name, "property": prop, "value": self.parts[name].get(prop)}

    def _targets(self, text: str) -> Any:
        name, _, prop = text.rpartition(".")
        prop = prop.partition("@")[0]
        if name.startswith("{"):
            found = [part for part in self.parts if _fits(part, json.loads(name))]
            return [{"id": json.loads(part), "property": prop} for part in found]
        return {"id": name, "property": prop} if name in self.parts else None


def components(node: Any) -> Iterator[Part]:
    """Every component in a layout, in order."""
    if isinstance(node, list):
        for each in node:
            yield from components(each)
    elif isinstance(node, dict):
        if "props" in node and "namespace" in node:
            yield node
        for each in node.values():
            yield from components(each)


def _parted(output: str) -> list[str]:
    return output.strip(".").split("...") if output.startswith("..") else [output]


def _listens(wanted: str, part: str) -> bool:
    return wanted == part or (wanted.startswith("{") and _fits(part, json.loads(wanted)))


def _fits(part: str, pattern: Part) -> bool:
    if not part.startswith("{"):
        return False
    name = json.loads(part)
    return set(name) == set(pattern) and all(
        wanted == ["ALL"] or wanted == name[field] for field, wanted in pattern.items()
    )


#: Where a component or a figure has what people read or hear.
_READ = (
    *("children", "title", "label", "placeholder", "alt", "aria-label", "aria-description", "message"),
    *("text", "name", "ticktext", "hovertext", "hovertemplate", "texttemplate", "ticksuffix", "labels", "customdata"),
    *("headerName", "headerTooltip", "head", "rows", "data-label", "placement_text", "words"),
)
_PASSED_BY = ("id", "style", "template", "config", "colorscale", "dangerously_allow_html")


def read(node: Any, where: str = "", shown: bool = False) -> Iterator[tuple[str, str]]:
    """Every text that is read, with the id of the part (and the property) it stands in."""
    if isinstance(node, str):
        if shown:
            yield where, node
    elif isinstance(node, list):
        for each in node:
            yield from read(each, where, shown)
    elif isinstance(node, dict):
        if "props" in node and "namespace" in node:
            yield from read(node["props"], key_of(node["props"].get("id", where)))
            return
        for name, value in node.items():
            if name not in _PASSED_BY:
                yield from read(value, f"{where}/{name}" if name != "children" else where, name in _READ)


# --- one callback, and what a component says --------------------------------------------------------------------------

#: The password of tests behind a door, and the header that opens it.
PASSWORD = {"SEGMENTRY_PASSWORD": "open sesame"}
KEY = {"Authorization": "Basic " + base64.b64encode(b"anyone:open sesame").decode()}


def named(text: str) -> Part:
    """The id and property that a callback's input or output is written as."""
    return dict(zip(("id", "property"), text.rsplit(".", 1), strict=True))


def callback(
    client: Any, outputs: list[str], inputs: list[tuple[str, Any]], state: Sequence[tuple[str, Any]] = ()
) -> Any:
    """Call a Dash callback as the browser does."""
    several = len(outputs) > 1
    body = {
        "output": f"..{'...'.join(outputs)}.." if several else outputs[0],
        "outputs": [named(text) for text in outputs] if several else named(outputs[0]),
        "inputs": [{**named(text), "value": value} for text, value in inputs],
        "state": [{**named(text), "value": value} for text, value in state],
        "changedPropIds": [inputs[0][0]],
    }
    return client.post("/_dash-update-component", json=body, headers=KEY)


def callback_of(client: FlaskClient, ending: str, values: dict[str, Any], triggered: str | None) -> Any:
    """Call the callback that has this output as a browser does; ``values`` by "id.property", others are None."""
    found = next(item for item in client.get("/_dash-dependencies").json if ending in item["output"])

    def filled(part: Part) -> Any:
        if part["id"].startswith("{"):
            given = values.get(part["id"], [])
            return [{"id": one, "property": part["property"], "value": value} for one, value in given]
        return {**part, "value": values.get(f"{part['id']}.{part['property']}")}

    outputs = []
    for text in found["output"].strip(".").split("..."):
        name, prop = text.rsplit(".", 1)
        outputs.append({"id": name, "property": prop})
    body = {
        "output": found["output"],
        "outputs": outputs if found["output"].startswith("..") else outputs[0],
        "inputs": [filled(part) for part in found["inputs"]],
        "state": [filled(part) for part in found["state"]],
        "changedPropIds": [triggered] if triggered else [],
    }
    return client.post("/_dash-update-component", json=body)


def words(component: Any) -> str:
    """All text of a component, in order."""
    if component is None:
        return ""
    if isinstance(component, str | int | float):
        return str(component)
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(words, component)))
    return words(getattr(component, "children", None))
