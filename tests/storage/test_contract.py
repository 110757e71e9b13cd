"""The same tests on a SQLite file and on a real PostgreSQL, and the same answers from both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pandas.testing import assert_frame_equal

from storage import open_store
from storage.contract import Store
from storage.testing import StoreContract
from storage.testing.samples import SELECTIONS, Clock, finished_run, sample_customers


@pytest.fixture
def clock() -> Clock:
    return Clock()


class OnDatabase(StoreContract):
    """Each test has workspaces of its own on one database, which also shows that those do not disturb one another."""

    @pytest.fixture
    def store(self, url: str, clock: Clock) -> Iterator[Store]:
        yield from self.opened(url, clock)

    @pytest.fixture
    def elsewhere(self, url: str, clock: Clock) -> Iterator[Store]:
        yield from self.opened(url, clock)

    def opened(self, url: str, clock: Clock) -> Iterator[Store]:
        store = open_store(url, clock=clock, workspace=f"it's {uuid4()}")
        yield store
        store.close()


class TestSqlite(OnDatabase):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, tmp_path_factory: pytest.TempPathFactory) -> str:
        return f"sqlite:///{tmp_path_factory.mktemp('store') / 'shop ä.db'}"


@pytest.mark.postgres
class TestPostgres(OnDatabase):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, postgres_server: str) -> str:
        with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
            connection.execute('create database "store contract"')
        return f"{postgres_server}/store%20contract".replace("postgresql://", "postgres://")


@pytest.mark.postgres
@pytest.mark.parametrize("shuffled", [False, True])
def test_both_databases_give_the_same_customers_in_the_same_order(
    tmp_path: Path, postgres_url: str, clock: Clock, shuffled: bool
):
    customers = sample_customers(400).sample(frac=1, random_state=2) if shuffled else sample_customers(400)
    answers = []
    for url in (f"sqlite:///{tmp_path / 'shop.db'}", postgres_url):
        store = open_store(url, clock=clock)
        _, run, _ = finished_run(store, customers)
        answers.append([store.stream(run.id, selection).read_all().to_pandas() for selection in SELECTIONS])
        store.close()
    for one, other in zip(*answers, strict=True):
        assert_frame_equal(one, other, check_exact=True)
    assert max(map(len, answers[0])) == 400
