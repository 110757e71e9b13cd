"""HTML elements for what is drawn anew with every click, made some twenty times faster than Dash's own components.

A browser gets the same. Dash's components check each property when they are made and look for all others when they are
written, which takes longer for a table than all that stands in it. Nothing is checked here: misspell a property and it
does nothing.
"""

from __future__ import annotations

from typing import Any, cast

from dash.development.base_component import Component


class Element(dict[str, Any]):
    """An HTML element as it is sent to a browser; its properties are read like those of a component."""

    def __getattr__(self, name: str) -> Any:
        props = self.get("props", {})
        if name not in props:
            raise AttributeError(name)
        return props[name]


class _Maker:
    """Makes elements of one kind, called as the component of the same name is."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __call__(self, children: Any = None, **props: Any) -> Component:
        if children is not None:
            props["children"] = children
        return cast(Component, Element(type=self._kind, namespace="dash_html_components", props=props))


Button, Div, Li, Span, Table = (_Maker(kind) for kind in ("Button", "Div", "Li", "Span", "Table"))
Tbody, Td, Th, Thead, Tr = (_Maker(kind) for kind in ("Tbody", "Td", "Th", "Thead", "Tr"))
