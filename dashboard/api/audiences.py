"""Routes about saved audiences: list, save, rename, pin, delete, and their sizes over time."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import FastAPI
from starlette.responses import Response

from dashboard.api.answers import Answer, Body
from dashboard.queries.audiences import audience_dict, audience_sizes_dict, save, sizes
from dashboard.services import Services
from storage.contract import Selection


class NewAudience(Body):
    """A selection with a name: ``selection`` is a query string of selection parameters, ``run`` where it was made."""

    name: str
    selection: str
    run: int | None = None
    pinned: bool = False


class AudienceEdit(Body):
    """Another name, pinned or not; what is null or left out stays as it is."""

    name: str | None = None
    pinned: bool | None = None


def add_audiences(api: FastAPI, services: Services) -> None:
    """Add the routes of audiences."""
    store = services.store

    @api.get("/audiences")
    def audiences() -> Answer:
        """Saved audiences, pinned ones first, then by name."""
        return Answer([audience_dict(item) for item in store.audiences()])

    @api.post("/audiences", status_code=201)
    def add(new: NewAudience) -> Answer:
        """Save a selection under a name; one that is taken is refused."""
        run = None if new.run is None else store.run(new.run)
        selection = Selection.from_query(parse_qsl(new.selection.removeprefix("?"), keep_blank_values=True))
        made = save(services, new.name, selection, run, pinned=new.pinned)
        return Answer(audience_dict(made), status_code=201)

    @api.patch("/audiences/{audience_id}")
    def change(audience_id: int, edit: AudienceEdit) -> Answer:
        """Rename an audience, pin it or not; answers with the audience."""
        return Answer(audience_dict(store.change_audience(audience_id, name=edit.name, pinned=edit.pinned)))

    @api.delete("/audiences/{audience_id}", status_code=204)
    def forget(audience_id: int) -> Response:
        """Forget an audience; its customers stay where they are."""
        store.delete_audience(audience_id)
        return Response(status_code=204)

    @api.get("/audiences/{audience_id}/sizes")
    def over_time(audience_id: int) -> Answer:
        """How many customers an audience means date by date; null, with what is missing, where none can be counted."""
        audience = store.audience(audience_id)
        return Answer(audience_sizes_dict(audience, sizes(services, audience)))
