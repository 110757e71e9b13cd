"""Stores for tests: on a new database, or in an empty workspace of one that many tests share; on both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from storage import Store, open_store
from storage.contract.objects import ObjectSettings
from tests.prepared import prepared
from tests.storage.samples import Clock

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database without a table."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database with the tables."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_store_url")
    return prepared(f"sqlite:///{tmp_path / 'shop.db'}")


@pytest.fixture(scope="session")
def shared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'shop ä.db'}"


@pytest.fixture(scope="session")
def shared_postgres(postgres_server: str) -> str:
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute('create database "a shared store"')
    return f"{postgres_server}/a%20shared%20store".replace("postgresql://", "postgres://")


@pytest.fixture(scope="session")
def shared_objects(tmp_path_factory: pytest.TempPathFactory) -> ObjectSettings:
    return ObjectSettings(str(tmp_path_factory.mktemp("objects")))


@pytest.fixture(params=BOTH)
def shared_url(request: pytest.FixtureRequest) -> str:
    """A database where each test has workspaces of its own, which also shows that those do not disturb one another."""
    return request.getfixturevalue(f"shared_{request.param}")


@pytest.fixture
def store(shared_url: str, clock: Clock, shared_objects: ObjectSettings) -> Iterator[Store]:
    yield from _opened(shared_url, clock, shared_objects)


@pytest.fixture
def elsewhere(shared_url: str, clock: Clock, shared_objects: ObjectSettings) -> Iterator[Store]:
    """Another workspace in the same database."""
    yield from _opened(shared_url, clock, shared_objects)


def _opened(url: str, clock: Clock, objects: ObjectSettings) -> Iterator[Store]:
    store = open_store(url, clock=clock, workspace=f"it's {uuid4()}", objects=objects)
    yield store
    store.close()
