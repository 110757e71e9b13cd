"""Routes about engines, value models and snapshots: what can be used, and what was read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import Field

from dashboard.api.answers import Answer, Body, answer_question, user
from dashboard.api.runs import full_run
from dashboard.pipeline.choose_k import NO_GAP, k_question, k_range_of
from dashboard.pipeline.read_again import queue_again
from dashboard.pipeline.run import snapshot_dict
from dashboard.pipeline.sales import RECEIPT
from dashboard.services import Services
from engines import registry
from engines.value.registry import registered_models
from storage.contract import NotFoundError, Snapshot, Starter


class DatasetName(Body):
    """What a data set is to be called."""

    name: str = Field(min_length=1, max_length=200)


def add_snapshots(api: FastAPI, services: Services) -> None:
    """Add the routes of engines, value models and snapshots."""
    store = services.store

    @api.get("/engines")
    def engines() -> Answer:
        """The engines with their settings, and plug-ins that could not be loaded."""
        return Answer([item.to_dict() for item in registry.registered()])

    @api.get("/models")
    def models() -> Answer:
        """The value models with what they answer and their settings, and plug-ins that could not be loaded."""
        return Answer([item.to_dict() for item in registered_models()])

    @api.get("/snapshots")
    def snapshots() -> Answer:
        """Snapshots (customers as of a date), those saved last first."""
        return Answer([_full(item) for item in store.snapshots()])

    @api.get("/snapshots/{snapshot_id}")
    def snapshot(snapshot_id: int) -> Answer:
        """One snapshot with its ledger."""
        return Answer(_full(store.snapshot(snapshot_id)))

    @api.patch("/snapshots/{snapshot_id}")
    def rename(snapshot_id: int, body: DatasetName) -> Answer:
        """Give the data set of a snapshot another name; all its snapshots, audiences and schedules go with it."""
        store.rename_dataset(store.snapshot(snapshot_id).dataset, body.name)
        return Answer(_full(store.snapshot(snapshot_id)))

    @api.post("/snapshots/{snapshot_id}/read-again", status_code=202)
    def read_again(request: Request, snapshot_id: int) -> Answer:
        """Queue the runs of a snapshot on its sales as they are read again under today's rules, beside the old ones."""
        runs = queue_again(snapshot_id, services.config, store, Starter("api", user(request)))
        return Answer({"runs": [full_run(run) for run in runs]}, status_code=202)

    @api.get("/snapshots/{snapshot_id}/evaluate")
    async def evaluation(
        snapshot_id: int,
        engine: str = "kmeans",
        low: Annotated[int | None, Query(alias="from", description="Fewest segments to try; by default 3.")] = None,
        high: Annotated[int | None, Query(alias="to", description="Most segments to try; by default 8.")] = None,
        seed: Annotated[int | None, Query(ge=0)] = None,
        gap: bool = False,  # an old name, which answers for one version
    ) -> Answer:
        """What speaks for each number of segments on the customers of a snapshot, and a recommendation."""
        k_range = k_range_of(engine, low, high, seed)
        selection = await answer_question(
            lambda: k_question(k_range, store.snapshot(snapshot_id), services.config), services
        )
        return Answer({**selection.to_dict(), **({"note": NO_GAP} if gap else {})})

    @api.get("/snapshots/{snapshot_id}/validation")
    def validation(snapshot_id: int) -> Answer:
        """The receipt of the value models: every model and naive guess on days it had not seen."""
        receipts = {item.name: item.receipt for item in store.validations(snapshot_id)}
        if RECEIPT not in receipts:
            raise NotFoundError(
                "Snapshot {snapshot_id} has no receipt: its sales were too short for a test, or it was "
                "made before there were receipts. Read longer sales, or read them again.",
                snapshot_id=snapshot_id,
            )
        return Answer(receipts[RECEIPT])


def _full(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot with all that is known of it but where the server finds its sales."""
    more = {name: getattr(snapshot, name) for name in ("source", "created_at", "info")}
    more["info"] = {name: item for name, item in more["info"].items() if name != "location"}
    return {**snapshot_dict(snapshot), **more}
