"""``segmentry engines``, ``models`` and ``features``: what is installed, plug-ins included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dashboard.commands.options import config_option, json_option, print_json

if TYPE_CHECKING:
    from dashboard.config import Config


@click.command()
@json_option
@config_option
def engines(as_json: bool, config: Config) -> None:
    """List the engines, their settings, and plug-ins that could not be loaded."""
    from engines import registry

    rows = [item.to_dict() for item in registry.registered()]
    if as_json:
        print_json(rows)
    else:
        from dashboard.commands.printing import print_engines

        print_engines(rows)


@click.command()
@json_option
@config_option
def models(as_json: bool, config: Config) -> None:
    """List the value models, what they answer, and plug-ins that could not be loaded."""
    from engines.value.registry import registered_models

    rows = [item.to_dict() for item in registered_models()]
    if as_json:
        print_json(rows)
    else:
        from dashboard.commands.printing import print_models

        print_models(rows)


@click.command()
@json_option
@config_option
def features(as_json: bool, config: Config) -> None:
    """List the features that plug-ins add to the customer table, and those that could not be loaded."""
    from engines.features import registered_features

    rows = []
    for item in registered_features():
        shown = {name: getattr(item.column, name, None) for name in ("title", "kind", "unit", "formula", "meaning")}
        column = item.column.name if item.column is not None else None
        rows.append({"name": item.name, "column": column, **shown, "origin": item.origin, "error": item.error})
    if as_json:
        print_json(rows)
    else:
        from dashboard.commands.printing import print_features

        print_features(rows)
