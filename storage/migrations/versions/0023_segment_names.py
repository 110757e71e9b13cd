"""Segments are known by an identity; what people call them holds for every date of a data set and engine.

A segment of before is known by its name. One whose name was given by hand in an earlier run, and carried on since, is
known by what that one is known by, and gets its own name back; the name by hand is shown as before.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

#: What the words of the plain vocabulary are known by: the classic name that means the same.
PLAIN = {
    "VIP": "Champions",
    "Loyal": "Loyal Customers",
    "Recent": "New Customers",
    "Growing": "Potential Loyalists",
    "Trying us": "Promising",
    "Regular": "Needs Attention",
    "Cooling off": "About to Sleep",
    "Slipping away": "At Risk",
    "Missed VIP": "Can't Lose Them",
    "Dormant": "Hibernating",
    "Gone": "Lost",
}
_NUMBERS = ("workspace_id", "run_id", "key")
RUNS = sa.table("runs", *(sa.column(name, sa.Integer()) for name in ("id", "snapshot_id")), sa.column("engine", sa.Text()))
SNAPSHOTS = sa.table("snapshots", sa.column("id", sa.Integer()), sa.column("dataset", sa.Text()))
SEGMENTS = sa.table(
    "segments",
    *(sa.column(name, sa.Integer()) for name in _NUMBERS),
    *(sa.column(name, sa.Text()) for name in ("name", "identity")),
)
EDITS = sa.table(
    "segment_edits",
    *(sa.column(name, sa.Integer()) for name in (*_NUMBERS, "revision")),
    *(sa.column(name, sa.Text()) for name in ("name", "action", "colour")),
    sa.column("pinned", sa.Boolean()),
    sa.column("edited_at", sa.DateTime()),
)
NAMES = sa.table(
    "segment_names",
    *(sa.column(name, sa.Integer()) for name in ("workspace_id", "revision")),
    *(sa.column(name, sa.Text()) for name in ("dataset", "engine", "identity", "name", "action", "colour")),
    sa.column("merged_into", sa.Text()),
    sa.column("former", sa.JSON()),
    sa.column("pinned", sa.Boolean()),
    sa.column("edited_at", sa.DateTime()),
)


def upgrade() -> None:
    op.add_column("segments", sa.Column("identity", sa.Text(), nullable=True))
    op.create_table(
        "segment_names",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("dataset", "engine", "identity")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("name", "action", "colour")),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("former", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_segment_names_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "dataset", "engine", "identity", name=op.f("pk_segment_names")),
    )
    edits: dict[int, dict[int, Any]] = {}
    for row in op.get_bind().execute(sa.select(EDITS)).all():
        edits.setdefault(row.run_id, {})[row.key] = row
    for (workspace, dataset, engine), segments in _series():
        identities: dict[str, str] = {}  # by the names that were given by hand
        said: dict[str, list[Any]] = {}
        for run_id, mine in segments:
            own = {segment.name for segment in mine}
            for segment in mine:
                name = identities.get(segment.name, segment.name)
                if name != segment.name and name in own:  # another segment has that name here
                    name = segment.name
                identity = PLAIN.get(name, name)
                if identity != name and identity in own:
                    identity = name
                this = (SEGMENTS.c.run_id == run_id, SEGMENTS.c.key == segment.key)
                op.execute(SEGMENTS.update().where(*this).values(identity=identity, name=name))
                edit = edits.get(run_id, {}).get(segment.key)
                if edit is not None:
                    said.setdefault(identity, []).append(edit)
                    if edit.name:
                        identities[edit.name] = name
        rows = []
        for identity, each in said.items():
            each.sort(key=lambda edit: (edit.edited_at, edit.run_id))
            latest = {name: _latest([getattr(one, name) for one in each]) for name in _TEXTS}
            names = dict.fromkeys(one.name for one in each if one.name)
            former = [name for name in names if name != latest["name"]]
            rows.append(
                {
                    **{"workspace_id": workspace, "dataset": dataset, "engine": engine, "identity": identity},
                    **{"pinned": each[-1].pinned, "revision": max(edit.revision for edit in each)},
                    **{"former": former, "edited_at": each[-1].edited_at, **latest},
                }
            )
        op.bulk_insert(NAMES, rows)
    op.drop_table("segment_edits")


_TEXTS = ("name", "action", "colour")


def _latest(texts: list[str | None]) -> str | None:
    return next((text for text in reversed(texts) if text), None)


def _series() -> Iterator[tuple[tuple[int, str, str], list[tuple[int, list[Any]]]]]:
    """The segments of every run, by workspace, data set and engine; runs in the order in which they were made."""
    segments: dict[int, list[Any]] = {}
    of_run = SEGMENTS.c.workspace_id, SEGMENTS.c.run_id, SEGMENTS.c.key, SEGMENTS.c.name
    for segment in op.get_bind().execute(sa.select(*of_run)).all():
        segments.setdefault(segment.run_id, []).append(segment)
    runs = sa.select(RUNS.c.id, SNAPSHOTS.c.dataset, RUNS.c.engine).where(RUNS.c.snapshot_id == SNAPSHOTS.c.id)
    series: dict[tuple[int, str, str], list[tuple[int, list[Any]]]] = {}
    for run_id, dataset, engine in op.get_bind().execute(runs.order_by(RUNS.c.id)).all():
        mine = segments.get(run_id)
        if mine:
            series.setdefault((mine[0].workspace_id, dataset, engine), []).append((run_id, mine))
    yield from series.items()


def downgrade() -> None:
    op.create_table(
        "segment_edits",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in _TEXTS),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_segment_edits_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_segment_edits_workspace_id")),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_segment_edits")),
    )
    joined = (
        sa.select(SEGMENTS.c.run_id, SEGMENTS.c.key, NAMES)
        .select_from(SEGMENTS)
        .join(RUNS, RUNS.c.id == SEGMENTS.c.run_id)
        .join(SNAPSHOTS, SNAPSHOTS.c.id == RUNS.c.snapshot_id)
        .join(
            NAMES,
            sa.and_(
                NAMES.c.workspace_id == SEGMENTS.c.workspace_id,
                NAMES.c.dataset == SNAPSHOTS.c.dataset,
                NAMES.c.engine == RUNS.c.engine,
                NAMES.c.identity == SEGMENTS.c.identity,
            ),
        )
    )
    columns = ("run_id", "key", "workspace_id", *_TEXTS, "pinned", "revision", "edited_at")
    rows = [{name: getattr(row, name) for name in columns} for row in op.get_bind().execute(joined).all()]
    op.bulk_insert(EDITS, rows)
    op.drop_table("segment_names")
    op.drop_column("segments", "identity")
