"""The command line: what schedulers call and newcomers start with. Exit codes: 0 done, 1 failed, 2 bad input."""

from __future__ import annotations

from typing import Any

import click

from dashboard.commands.demo import demo
from dashboard.commands.drift import drift
from dashboard.commands.engines import engines, features, models
from dashboard.commands.evaluate import evaluate
from dashboard.commands.export import export
from dashboard.commands.fetch import fetch
from dashboard.commands.inspect import inspect
from dashboard.commands.migration import migration
from dashboard.commands.predict import predict
from dashboard.commands.prune import prune
from dashboard.commands.publish import live, publish
from dashboard.commands.read_again import read_again
from dashboard.commands.reproduce import reproduce
from dashboard.commands.run import run
from dashboard.commands.runs import cancel, runs
from dashboard.commands.schedule import schedule
from dashboard.commands.serve import migrate, serve, worker
from dashboard.commands.validate import validate
from engines.errors import InputError


class _Refusal(click.ClickException):
    exit_code = 2


class _Group(click.Group):
    """Commands whose errors are one sentence on stderr and exit code 2, never a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _Refusal(str(error)) from None
        except (LookupError, RuntimeError) as error:
            from storage.contract import ChangedError, NotFoundError, StoreError

            if isinstance(error, ChangedError | NotFoundError | StoreError):
                raise _Refusal(str(error)) from None
            raise


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="segmentry", prog_name="segmentry")
def main() -> None:
    """From raw sales to named, valued customer segments."""


for command in (
    fetch,
    inspect,
    run,
    demo,
    cancel,
    evaluate,
    validate,
    drift,
    migration,
    predict,
    engines,
    models,
    features,
    runs,
    publish,
    live,
    export,
    reproduce,
    read_again,
    schedule,
    prune,
    serve,
    worker,
    migrate,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
