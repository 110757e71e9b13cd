"""``segmentry serve``, ``worker`` and ``migrate``: the processes that stay."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from dashboard.commands.options import config_option, open_store_for

if TYPE_CHECKING:
    from dashboard.config import Config


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 8050]")
@click.option("--workers", type=click.IntRange(min=1), help="Number of web processes.  [default: 1]")
@click.option("--worker/--no-worker", default=None, help="Work on queued runs beside it.  [default: --worker]")
@config_option
def serve(host: str | None, port: int | None, workers: int | None, worker: bool | None, config: Config) -> None:
    """Serve the dashboard and the REST API, and work on queued runs in a process beside it."""
    given = {"host": host, "port": port, "workers": workers}
    config = config.replace(
        server={key: item for key, item in given.items() if item is not None},
        worker={} if worker is None else {"in_server": worker},
    )
    with open_store_for(config):
        pass  # brings the database's schema up to date once, before several processes look at it
    start_server(config)


def start_server(config: Config) -> None:
    """Serve until told to stop, in as many processes as the configuration says."""
    from contextlib import nullcontext

    import uvicorn

    from dashboard.auth.access import access_notice, check_bind
    from dashboard.worker.loop import worker_beside

    server = config.server
    check_bind(server.host, os.environ)
    os.environ["SEGMENTRY_DATABASE_URL"] = config.database.url  # read by every web process
    os.environ["SEGMENTRY_SERVER_HOST"] = server.host
    config_path = click.get_current_context().params["config_path"]
    if config_path is not None:
        os.environ["SEGMENTRY_CONFIG"] = str(config_path.resolve())
    shown = f"[{server.host}]" if ":" in server.host else server.host
    click.echo(access_notice(os.environ), err=True)
    click.echo(f"Segmentry is at http://{shown}:{server.port}", err=True)
    with worker_beside(config) if config.worker.in_server else nullcontext():
        uvicorn.run(
            "dashboard.app:create_app_from_env",
            factory=True,
            host=server.host,
            port=server.port,
            workers=server.workers,
            log_level="warning",
            server_header=False,
        )


@click.command()
@click.option("--drain", is_flag=True, help="Stop when nothing is left to do.")
@config_option
def worker(drain: bool, config: Config) -> None:
    """Work on queued runs until told to stop; the run in hand is then put back.

    A run whose worker was lost is taken over when its lease has expired ([worker] lease_seconds); --drain waits for
    that, and ends when nothing is queued and every running run has a worker that gives signs of life.
    """
    from dashboard.worker.loop import run_worker, stop_on_signals

    with open_store_for(config) as store:
        worked = run_worker(config, store, stop_on_signals(), drain=drain, tell=lambda line: click.echo(line, err=True))
    click.echo(f"Runs worked on: {len(worked)}", err=True)


@click.command()
@config_option
def migrate(config: Config) -> None:
    """Bring the database's schema up to date."""
    with open_store_for(config):
        click.echo("The database is up to date.", err=True)
