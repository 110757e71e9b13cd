"""One server for all browser tests: the sample shop and CDNOW's sample, segmented for real, in a real process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from dashboard.config import load_config
from dashboard.pipeline.run import run_sales
from dashboard.pipeline.sales import SalesRequest
from storage import open_store
from tests.quick import QUICK, QUICK_ENVIRON
from tests.serving import serving


class Desk(NamedTuple):
    """A running dashboard and what is in its store."""

    address: str
    database: Path
    shop: dict[str, int]  # run ids by engine
    cdnow: dict[str, int]


@pytest.fixture(scope="session")
def desk(tmp_path_factory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    database = folder / "segmentry.db"
    config = load_config(environ={}).replace(**QUICK)
    store = open_store(f"sqlite:///{database}", clock=lambda: datetime.now(UTC))
    ids = []
    for source in ("cdnow-sample", "sample-shop"):
        outcome = run_sales(SalesRequest(source, engines=("rfm", "kmeans")), config, store)
        ids.append({run.engine: run.id for run in outcome.runs})
    store.close()
    # a worker beside the server: Migration, Choose k and the preview of an upload are answered by one
    with serving(folder, SEGMENTRY_WORKER_IN_SERVER="true", **QUICK_ENVIRON) as address:
        yield Desk(address, database, shop=ids[1], cdnow=ids[0])
