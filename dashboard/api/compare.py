"""Routes that compare runs: all that the Compare page shows, also as files."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request
from starlette.responses import StreamingResponse

from dashboard.api.answers import PAGE_LIMIT, Answer, user
from dashboard.api.download import Download, send
from dashboard.api.runs import full_run
from dashboard.exports.files import MEDIA_TYPES, Format, Stream
from dashboard.queries.comparison import (
    Comparison,
    aligned_sizes_dict,
    compare,
    comparison_rows,
    cross_money,
    cross_table,
    plain_sortings_dict,
    revenue_capture_dict,
    verdict_dict,
    verdict_of,
)
from dashboard.queries.comparison_tables import PartName, comparison_table
from dashboard.queries.disagreement import Disagreement, disagreement
from dashboard.queries.which_run import engine_titles, run_labels
from dashboard.services import Services

Runs = Annotated[list[int], Query(description="Finished runs of one snapshot; repeat it.")]
Segment = Annotated[str | None, Query(description="A segment of the first run; by default Champions.")]
Elsewhere = Annotated[str | None, Query(description="A segment of the second run; by default At Risk.")]


def add_compare(api: FastAPI, services: Services) -> None:
    """Add the routes of the comparison."""
    frames = services.frames

    def labelled(compared: Comparison) -> list[str]:
        return run_labels(compared.runs, engine_titles())

    @api.get("/compare")
    def comparison(run: Runs) -> Answer:
        """Runs side by side: agreement of each pair, aligned segments, metrics, later revenue, a recommendation."""
        compared = compare(frames, run)
        labels, runs = labelled(compared), compared.runs
        pairs = [
            {"a": one.id, "b": other.id, "ari": compared.ari[row, column], "ami": compared.ami[row, column]}
            for row, one in enumerate(runs)
            for column, other in enumerate(runs)
            if row < column
        ]
        rows = comparison_rows(runs)
        metrics = [
            {
                **{name: getattr(row, name) for name in ("name", "title", "meaning", "better", "values")},
                "best": [runs[place].id for place in sorted(row.best)],
                "one_space": row.one_space,
            }
            for row in rows
            if row.kind == "metric"
        ]
        snapshot = compared.frames[0].snapshot
        answer = {
            "snapshot": snapshot.id,
            "customers": snapshot.customers,
            "runs": [
                {**full_run(run), "label": label, "memory": run.info.get("memory")}
                for run, label in zip(runs, labels, strict=True)
            ],
            "agreement": pairs,
            "metrics": metrics,
            "settings": [{"name": row.name, "values": list(row.values)} for row in rows if row.kind == "setting"],
            "sizes": aligned_sizes_dict(compared),
            "captured": [revenue_capture_dict(run) for run in runs],
            "sorted": plain_sortings_dict(runs),
            "recommendation": verdict_dict(verdict_of(compared, labels), runs),
        }
        return Answer(answer)

    @api.get("/compare/customers")
    def customers(
        run: Runs,
        segment: Segment = None,
        other: Elsewhere = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Answer:
        """Customers in one segment of the first run and in another of the second, and the cross-table of both runs."""
        disagreeing = disagreement(frames, run, segment, other)
        following = offset + limit if offset + limit < disagreeing.customers else None
        answer = {
            "runs": [disagreeing.one.run.id, disagreeing.other.run.id],
            "segment": disagreeing.segment,
            "other": disagreeing.elsewhere,
            "total": disagreeing.customers,
            "revenue": disagreeing.revenue,
            "offset": offset,
            "next_offset": following,
            "customers": disagreeing.rows(offset, offset + limit).to_pylist(),
            "cross": {
                "rows": [item.name for item in disagreeing.one.segments],
                "columns": [item.name for item in disagreeing.other.segments],
                "customers": cross_table(disagreeing.one, disagreeing.other).tolist(),
                "money": cross_money(disagreeing.one, disagreeing.other).tolist(),
            },
        }
        return Answer(answer)

    @api.get("/compare/customers.{kind}")
    def export(request: Request, kind: Format, run: Runs, segment: Segment = None, other: Elsewhere = None) -> Download:
        """All of these customers as a file: csv, xlsx or parquet."""
        disagreeing = disagreement(frames, run, segment, other)
        name = f"disagreement-run{disagreeing.one.run.id}-run{disagreeing.other.run.id}.{kind}"
        about = {"list": "disagreement", "query": _query(disagreeing)}
        stream = Stream(disagreeing.reader(), kind)
        return send(stream, services.store, disagreeing.one.run.id, name, user=user(request), about=about)

    @api.get("/compare/{name}.{kind}")
    def numbers(name: PartName, kind: Format, run: Runs) -> StreamingResponse:
        """A part of the comparison as a file; the cross-table is of the first two runs."""
        compared = compare(frames, run)
        table = comparison_table(name, compared, labelled(compared)).to_arrow()
        return _file(Stream(table.to_reader(), kind), kind, f"compare-{name}.{kind}")


def _query(pair: Disagreement) -> str:
    """What the list is asked for with: the runs, and its segment in each."""
    runs = [("run", pair.one.run.id), ("run", pair.other.run.id)]
    return urlencode([*runs, ("segment", pair.segment), ("other", pair.elsewhere)])


def _file(content: Any, kind: Format, name: str) -> StreamingResponse:
    return StreamingResponse(
        content,
        media_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
