"""A segment that is given another name keeps its customers: nothing but the name differs, on every date."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from dashboard.frames.cache import FrameCache
from dashboard.pipeline.migrate import between_runs, compute_migration
from dashboard.queries.audiences import save, sizes
from dashboard.services import Services
from storage import open_store
from storage.contract import Selection
from tests.dashboard import shop
from tests.prepared import prepared

ENGINES = ("rfm", "kmeans", "gmm", "hierarchical")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def services(request, tmp_path):
    settings = shop.config(tmp_path)
    if request.param == "postgres":
        settings = settings.replace(database={"url": request.getfixturevalue("postgres_store_url")})
    store = open_store(prepared(settings.database.url), clock=lambda: shop.NOW)
    yield Services(settings, store, FrameCache(store), {})
    store.close()


def seen(services: Services, early: int, late: int, known: str, audience) -> dict[str, object]:
    """Everything that counts the customers of a segment."""
    store = services.store
    alone = Selection(segments=(known,))
    moves = compute_migration(between_runs(early, late, store), services.config, store).migration
    frame = services.frames.get(late)
    return {
        "migration": (moves.customers.tolist(), moves.money.tolist(), moves.stayed, len(moves.movers)),
        "audience": [(size.customers, size.missing) for size in sizes(services, audience).counted],
        "page": int(np.count_nonzero(frame.mask(alone))),
        "export": sorted(store.stream(late, alone, []).read_all()["customer_id"].to_pylist()),
        "count": store.count(late, alone),
        "segments": [(item.identity, item.customers, item.monetary) for item in store.run(late).segments],
    }


@pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=() if name in ("rfm", "kmeans") else pytest.mark.slow) for name in ENGINES]
)
def test_nothing_but_the_name_differs(services, engine):
    store, config = services.store, services.config
    first = store.save_snapshot(shop.new_snapshot("shop", date(2011, 11, 1)), shop.customers(300, seed=1))
    second = store.save_snapshot(shop.new_snapshot("shop", date(2011, 12, 10)), shop.customers())
    early, late = (shop.run(store, config, snapshot, engine) for snapshot in (first, second))
    store.publish(late, who=None, via="browser", why="The latest date")
    segment = max(store.run(late).segments, key=lambda item: item.customers)
    alone = Selection(segments=(segment.known_by,))
    audience = save(services, "Some", alone, store.run(late), pinned=True)
    before = seen(services, early, late, segment.known_by, audience)
    assert before["audience"][-1] == (segment.customers, ())

    store.edit_segment(late, segment.key, revision=0, name="Win back now", action="Ring.", colour="#123456")
    assert seen(services, early, late, segment.known_by, audience) == before
    # links and files from before the change, and from after it
    for text in (segment.name, "Win back now"):
        assert seen(services, early, late, text, audience) == before
    names = {item.identity: item.name for item in store.run(early).segments}
    assert names.get(segment.identity, "Win back now") == "Win back now", "earlier dates have the name as well"
    moves = compute_migration(between_runs(early, late, store), config, store).migration
    assert segment.name not in {*moves.rows, *moves.columns}
    store.edit_segment(late, segment.key, revision=1, name="Another")
    assert seen(services, early, late, "Win back now", audience) == before, "a former name is understood"
    # the next run of the same customers has the segment under its name
    again = shop.run(store, config, second, engine)
    found = next(item for item in store.run(again).segments if item.identity == segment.identity)
    assert (found.name, found.customers) == ("Another", segment.customers)
