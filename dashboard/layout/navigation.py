"""The navigation beside every page: its links in groups, and the panel over the page that it is on a small screen."""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard.components import ids
from dashboard.components.attributes import aria
from dashboard.i18n.texts import noted, say
from dashboard.pages import PAGES

NAVIGATION = "shell-navigation"
MENU, CLOSE, BESIDE = "shell-menu", "shell-menu-close", "shell-menu-beside"  # assets/navigation.js knows them
LINK = "shell-link"


class Group(NamedTuple):
    """Links that stand together: the pages whose ``AREA`` it is, and the small heading above them, if they have one."""

    area: str
    heading: str = ""


GROUPS = (Group("marketing"), Group("models", noted("Models")), Group("data"))


def pages_of(area: str) -> list[ModuleType]:
    """The pages of an area, in their order; a page of no area is opened with a button of another page."""
    return sorted((page for page in PAGES if area == page.AREA), key=lambda page: page.ORDER)


def navigation() -> Component:
    """The brand and the links; on a small screen also the button that closes them, and the ground beside them."""
    sign = html.Img(src="/assets/favicon.svg", alt="", width=24, height=24)
    close = html.Button("×", id=CLOSE, type="button", className="seg-icon seg-menu-close", **aria(label=say("Close")))
    top = html.Div([dcc.Link([sign, "Segmentry"], href="/", className="seg-brand"), close], className="seg-side-top")
    groups = [part for place, group in enumerate(GROUPS) for part in _group(group, has_divider=place > 0)]
    side = html.Nav(
        [top, html.Div(groups, className="seg-nav")], id=NAVIGATION, className="seg-side", **aria(label=say("Pages"))
    )
    return html.Div([side, html.Div(id=BESIDE, className="seg-side-beside")])


def menu_button() -> Component:
    """The button that opens the navigation on a small screen."""
    return html.Button(
        "☰",
        id=MENU,
        type="button",
        className="seg-icon seg-menu",
        **aria(label=say("Pages"), controls=NAVIGATION, expanded="false"),
    )


def _group(group: Group, *, has_divider: bool) -> list[Component]:
    divider = [html.Hr(className="seg-divider")] if has_divider else []
    links = [html.Li(_link(page)) for page in pages_of(group.area)]
    if not group.heading:
        return [*divider, html.Ul(links)]
    name = f"shell-{group.area}"
    heading = html.P(say(group.heading), id=name, className="seg-nav-heading")
    return [*divider, heading, html.Ul(links, **aria(labelledby=name))]


def _link(page: ModuleType) -> Component:
    made: Component = dbc.NavLink(say(page.TITLE), href=page.PATH, id={"type": LINK, "path": page.PATH})
    return made


def register(app: Dash, run: str) -> None:
    """Links keep the run that the store ``run`` holds; the one that leads to the page that is shown is marked."""
    app.clientside_callback(
        ClientsideFunction("segmentry", "links"),
        Output({"type": LINK, "path": ALL}, "href"),
        Output({"type": LINK, "path": ALL}, "active"),
        Input(ids.LOCATION, "pathname"),
        Input(run, "data"),
        State({"type": LINK, "path": ALL}, "id"),
    )
