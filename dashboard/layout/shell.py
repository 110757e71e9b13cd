"""The frame around every page: navigation and header, light and dark, and a word when things fail."""

from __future__ import annotations

import logging
from functools import partial
from importlib.metadata import version
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import Flask, Response, current_app, g, request, send_file

from dashboard.components import cards, example, ids, rules
from dashboard.components.attributes import aria
from dashboard.components.fields import picker
from dashboard.config import shipped
from dashboard.figures import country_map
from dashboard.figures.countries import outlines
from dashboard.i18n import locales
from dashboard.i18n.texts import noted, say
from dashboard.layout import alerts, navigation, publishing
from dashboard.layout.index import bootstrap_css, index_page
from dashboard.pages import PAGES
from dashboard.queries.which_run import address, context, first_run, picked_run, run_from
from dashboard.services import Services
from engines.errors import InputError
from storage.contract import NotFoundError, StoreError

GO = "shell-go"  # the query string to go on to, which draws the page anew; ids.LOCATION only notes what the page shows
WENT = "shell-went"
ALERT = "shell-alert"
KNOWN_RUN = "shell-run"
SHOWN_RUN = "shell-shown-run"
NAMED_RUN = "shell-named-run"
SYNTHETIC = "shell-synthetic"
THEME_BUTTON = "shell-theme"

_PICKERS = (ids.DATASET, ids.SNAPSHOT, ids.RUN)

BOOTSTRAP_PATH = "/vendor/bootstrap.min.css"
_ONE_DAY = 86_400
_log = logging.getLogger("segmentry")


def create_shell(services: Services) -> Dash:
    """The Dash application with all pages, on a Flask server of its own, ready to be mounted."""
    server = Flask("dashboard", static_folder=None)
    server.extensions["segmentry"] = services
    _speak(server, services.config.locale.language)
    server.add_url_rule(BOOTSTRAP_PATH, "bootstrap", partial(send_file, bootstrap_css(), max_age=_ONE_DAY))
    server.add_url_rule(country_map.OUTLINES, "outlines", _outlines)
    index = index_page(services.config.locale.language)
    app = Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type]  # Dash takes a Flask application, its annotation does not
        use_pages=True,
        pages_folder="",
        include_pages_meta=False,
        assets_folder=str(shipped("assets").resolve()),
        assets_ignore=r"theme\.js|.*\.md",  # theme.js is in the head already
        external_stylesheets=[f"{BOOTSTRAP_PATH}?v={version('bootstrap-flask')}"],
        index_string=index,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        title="Segmentry",
        update_title="",
        suppress_callback_exceptions=True,
        on_error=_say_what_went_wrong,
        add_log_handler=False,
    )
    for page in PAGES:
        dash.register_page(
            page.__name__,
            path=page.PATH,
            name=page.TITLE,
            title=partial(_window_title, page.TITLE),
            order=page.ORDER,
            layout=partial(_draw, page),
        )
        page.register(app, services)
    dash.register_page(
        "dashboard.pages.not_found_404",
        path="/404",
        title=partial(_window_title, noted("Not found")),
        layout=_not_found,
        order=1000,
    )
    app.layout = _frame
    _register(app, services)
    server.after_request(_unknown_pages_are_404)
    with server.test_request_context("/"):
        server.preprocess_request()  # Dash finishes its set-up at the first request: have it behind us
    return app


def _window_title(title: str, **query: Any) -> str:
    return f"{say(title)} · Segmentry"


def _speak(server: Flask, language: str) -> None:
    """Every request is answered in the language of the settings; what the thread does next is not touched."""

    @server.before_request
    def begin() -> None:
        g.language = locales.speak(language)

    @server.teardown_request
    def end(error: BaseException | None) -> None:
        if "language" in g:
            locales.silence(g.pop("language"))


def _outlines() -> Response:
    """The outlines of countries, for the map."""
    answer = Response(outlines(), mimetype="application/geo+json")
    answer.cache_control.max_age = _ONE_DAY
    return answer


# --- what is drawn --------------------------------------------------------------------------------------------------


def _frame() -> Component:
    theme_button = html.Button(
        id=THEME_BUTTON, type="button", className="seg-icon seg-theme", **aria(label=say("Theme"))
    )
    badge = html.Span(cards.synthetic_badge(), id=SYNTHETIC, hidden=True)
    pickers = [
        picker(ids.DATASET, say("Data set"), [], None, hidden_label=True, disabled=True),
        picker(ids.SNAPSHOT, say("Date"), [], None, hidden_label=True, disabled=True),
        picker(ids.RUN, say("Engine and run"), [], None, hidden_label=True, disabled=True),
    ]
    context_pickers = html.Div(
        pickers, className="seg-context", role="group", **aria(label=say("What you are looking at"))
    )
    header = html.Header(
        [
            navigation.menu_button(),
            context_pickers,
            html.Div([badge, html.Div(id=publishing.STANDING)], className="seg-standing"),
            html.Div([alerts.bell(), theme_button], className="seg-tools"),
        ],
        className="seg-bar",
    )
    page = html.Div(
        [
            header,
            html.Div(id=publishing.BANNER),
            dbc.Alert(id=ALERT, is_open=False, dismissable=True, color="danger", className="m-3"),
            html.Main(dash.page_container, id="content", className="seg-page", tabIndex=-1),
        ],
        className="seg-beside",
    )
    return html.Div(
        [
            html.A(say("Skip to content"), href="#content", className="seg-skip"),
            dcc.Location(id=ids.LOCATION, refresh=False),
            dcc.Store(id=GO),
            dcc.Store(id=WENT),
            dcc.Store(id=ids.THEME),
            dcc.Store(id=KNOWN_RUN),
            dcc.Store(id=SHOWN_RUN),
            dcc.Store(id=NAMED_RUN),
            publishing.dialogs(),
            html.Div([navigation.navigation(), page], className="seg-frame"),
        ]
    )


def _draw(page: ModuleType, /, **query: Any) -> Component:
    """One page for what the address says; without a run in it, for the run to begin with."""
    services: Services = current_app.extensions["segmentry"]
    query.pop("services", None)
    try:
        if run_from(services.store, query.get("run")) is None:
            first = first_run(services.store, services.config)
            query |= {"run": str(first.id)} if first is not None else {}
        drawn: Component = page.layout(services, **query)
        # with the page, so that nothing jumps when it comes
        set_props(publishing.BANNER, {"children": publishing.banner(services, query.get("run"))})
        return drawn
    except (InputError, NotFoundError, StoreError) as error:
        return html.Div(
            [
                html.H1(say("This address leads nowhere")),
                html.P(say(error.message)),
                dcc.Link(say("Begin again"), href=page.PATH),
            ],
            className="seg-empty",
            role="alert",
        )


def _not_found(**query: Any) -> Component:
    return html.Div(
        [html.H1(say("There is no such page")), dcc.Link(say("Go to the segments"), href="/")],
        className="seg-empty",
        role="alert",
    )


def _unknown_pages_are_404(response: Response) -> Response:
    catch_all = request.view_args is not None and set(request.view_args) == {"path"} and request.url_rule is not None
    if catch_all and str(request.url_rule) == "/<path:path>" and request.path not in {page.PATH for page in PAGES}:
        response.status_code = 404
    return response


# --- what happens ---------------------------------------------------------------------------------------------------


def _say_what_went_wrong(error: Exception) -> None:
    """Tell the user instead of leaving an old picture standing as if it were the new one."""
    if isinstance(error, InputError | NotFoundError | StoreError):
        sentence = say(error.message)
    else:
        _log.error("A callback failed", exc_info=error)
        sentence = say("Something went wrong, and what is shown may be old. The server's log says what it was.")
    set_props(ALERT, {"children": sentence, "is_open": True})


def _register(app: Dash, services: Services) -> None:
    navigation.register(app, KNOWN_RUN)
    alerts.register(app, services, SHOWN_RUN)
    publishing.register(app, services, SHOWN_RUN)
    example.register(app, services)
    rules.register(app, services)
    theme = ClientsideFunction("segmentry", "theme")
    app.clientside_callback(
        theme,
        Output(ids.THEME, "data"),
        Output(THEME_BUTTON, "title"),
        Output(THEME_BUTTON, "aria-label"),
        Input(THEME_BUTTON, "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("segmentry", "run"),
        Output(KNOWN_RUN, "data"),
        Input(ids.LOCATION, "search"),
        State(KNOWN_RUN, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("segmentry", "go"), Output(WENT, "data"), Input(GO, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("segmentry", "named"),
        Output(NAMED_RUN, "data"),
        Input(SHOWN_RUN, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        *(Output(name, prop) for name in _PICKERS for prop in ("options", "value", "disabled")),
        Output(SYNTHETIC, "hidden"),
        Output(SHOWN_RUN, "data"),
        Input(KNOWN_RUN, "data"),
    )
    def fill(run: str | None) -> tuple[Any, ...]:
        shown = context(services.store, services.config, run)
        if shown is None:
            return (*([], None, True) * 3, True, no_update)
        pickers = ((shown.datasets, shown.dataset), (shown.snapshots, shown.snapshot), (shown.runs, shown.run))
        filled = [part for options, value in pickers for part in ([item._asdict() for item in options], value, False)]
        return (*filled, not shown.synthetic, shown.run)

    @app.callback(
        Output(GO, "data"),
        Input(ids.DATASET, "value"),
        Input(ids.SNAPSHOT, "value"),
        Input(ids.RUN, "value"),
        State(ids.LOCATION, "search"),
        prevent_initial_call=True,
    )
    def go(dataset: str | None, snapshot: str | None, run: str | None, search: str | None) -> str:
        shown = context(services.store, services.config, dict(parse_qsl((search or "").removeprefix("?"))).get("run"))
        if shown is None or not dataset or not snapshot or not run:
            raise PreventUpdate
        turned = {}
        if dataset != shown.dataset:
            turned = {"dataset": dataset}
        elif snapshot != shown.snapshot:
            turned = {"snapshot": snapshot}
        elif run != shown.run:
            turned = {"run": run}
        if not turned:  # the pickers were filled, nobody turned them
            raise PreventUpdate
        old = services.store.run(int(shown.run))
        return address(search or "", old, picked_run(services.store, services.config, old, **turned))
