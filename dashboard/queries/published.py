"""The published run of a data set as programs are told of it, and its history."""

from __future__ import annotations

from typing import Any, NamedTuple

from storage import Store
from storage.contract import NotFoundError, Publication, Run

_TRIES = 3


class Live(NamedTuple):
    """The published run of a data set, and the publication that made it so."""

    run: Run
    publication: Publication

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready values but for the dates."""
        run = self.run
        customers = sum(item.customers for item in run.segments)
        return {
            "dataset": run.dataset,
            "run": {"id": run.id, "engine": run.engine, "as_of": run.as_of, "customers": customers},
            "published": published_dict(self.publication),
        }


def live(store: Store, dataset: str) -> Live:
    """The published run of a data set.

    Raises:
        NotFoundError: there is no such data set, or nothing of it is published.
    """
    for _ in range(_TRIES):
        publication = store.published(dataset)
        if publication is None:
            break
        try:
            return Live(store.run(publication.run_id), publication)
        except NotFoundError:  # another was published between the two, and this one deleted
            continue
    if not store.publications(dataset) and all(item.dataset != dataset for item in store.snapshots()):
        raise NotFoundError("There is no data set {dataset}.", dataset=dataset)
    raise NotFoundError(
        "No run of {dataset} is published; publish one: segmentry publish RUN --why TEXT.", dataset=dataset
    )


def history(store: Store, dataset: str) -> list[dict[str, Any]]:
    """What was published of a data set, the latest first, as JSON-ready values but for the dates.

    Raises:
        NotFoundError: there is no such data set.
    """
    publications = store.publications(dataset)
    if not publications and all(item.dataset != dataset for item in store.snapshots()):
        raise NotFoundError("There is no data set {dataset}.", dataset=dataset)
    return [
        {
            "id": item.id,
            "run": {"id": item.run_id, "engine": item.engine, "as_of": item.as_of},
            "previous": item.previous_run_id,
            **published_dict(item),
        }
        for item in publications
    ]


def published_dict(publication: Publication) -> dict[str, Any]:
    """Who published, when, why and where, and what was checked."""
    return {
        "who": publication.published_by,
        "when": publication.published_at,
        "why": publication.why,
        "via": publication.via,
        "kind": publication.kind,
        "checks": list(publication.checks),
    }
