"""What a store keeps around snapshots and runs: sources, checks, saved audiences, users and API keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Source:
    """What snapshots came from. ``name`` is their ``source``; ``kind`` is file, database...; ``mapping`` the latest."""

    id: int
    name: str
    kind: str
    mapping: Mapping[str, Any]
    created_at: datetime
    used_at: datetime  # when a snapshot of it was last saved, or the source itself


@dataclass(frozen=True)
class Validation:
    """The receipt of a check of a snapshot's value models, as JSON-ready values."""

    snapshot_id: int
    name: str
    receipt: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Audience:
    """A selection that was given a name. ``selection`` is the query string that ``Selection.from_query`` reads.

    ``dataset`` and ``engine``: whose runs it was made on; empty where that was not said, so that it means any.
    """

    id: int
    name: str
    selection: str
    pinned: bool
    created_at: datetime
    dataset: str = ""
    engine: str = ""


@dataclass(frozen=True)
class User:
    """Someone who may sign in; the password is not here, nor anywhere."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True)
class ApiKey:
    """A program that may call; the key itself is shown once, when it is made."""

    id: int
    name: str
    created_at: datetime


class DeskStore(ABC):
    """The verbs about what surrounds snapshots and runs, a part of :class:`~storage.contract.Store`.

    Names are unique in their workspace and have at most 200 characters, all of which can be seen; other texts have no
    NUL. What is not so raises :class:`~engines.errors.InputError`.
    """

    # --- sources: a saved snapshot leaves one behind by itself
    @abstractmethod
    def save_source(self, name: str, kind: str, mapping: Mapping[str, Any]) -> Source:
        """Keep a source, or bring the one of that name up to date."""

    @abstractmethod
    def sources(self) -> list[Source]:
        """All sources, by name."""

    @abstractmethod
    def delete_source(self, source_id: int) -> None:
        """Forget a source; its snapshots stay."""

    # --- validations
    @abstractmethod
    def save_validation(self, snapshot_id: int, name: str, receipt: Mapping[str, Any]) -> Validation:
        """Keep the receipt of a check of a snapshot, in place of an earlier one of that name."""

    @abstractmethod
    def validations(self, snapshot_id: int) -> list[Validation]:
        """The receipts of a snapshot, by name. They go with their snapshot."""

    # --- saved audiences
    @abstractmethod
    def save_audience(
        self, name: str, selection: str, *, pinned: bool = False, dataset: str = "", engine: str = ""
    ) -> Audience:
        """Keep a selection (as a query string) under a name, in place of an earlier one of that name.

        Raises:
            InputError: the query string has a bound that is no number, or the name cannot be used.
        """

    @abstractmethod
    def audiences(self) -> list[Audience]:
        """All audiences, pinned ones first, then by name."""

    @abstractmethod
    def audience(self, audience_id: int) -> Audience:
        """One audience."""

    @abstractmethod
    def change_audience(self, audience_id: int, *, name: str | None = None, pinned: bool | None = None) -> Audience:
        """Give an audience another name, pin it or not; what is None stays.

        Raises:
            InputError: another audience has that name, or it cannot be used.
        """

    @abstractmethod
    def delete_audience(self, audience_id: int) -> None:
        """Forget an audience."""

    # --- users and API keys: secrets go in, and never come out again
    @abstractmethod
    def add_user(self, name: str, password: str) -> User:
        """Let someone sign in.

        Raises:
            InputError: there is a user of that name, or the name or password cannot be used.
        """

    @abstractmethod
    def users(self) -> list[User]:
        """All users, by name."""

    @abstractmethod
    def check_user(self, name: str, password: str) -> User | None:
        """The user with this name and password, None if there is none; either takes as long."""

    @abstractmethod
    def remove_user(self, user_id: int) -> None:
        """Let someone no longer sign in."""

    @abstractmethod
    def add_api_key(self, name: str) -> tuple[ApiKey, str]:
        """Make an API key: what it is called, and the key itself, which nobody can read again.

        Raises:
            InputError: there is a key of that name, or the name cannot be used.
        """

    @abstractmethod
    def api_keys(self) -> list[ApiKey]:
        """All API keys, by name."""

    @abstractmethod
    def check_api_key(self, key: str) -> ApiKey | None:
        """The API key that this is, None if it is none of this workspace."""

    @abstractmethod
    def remove_api_key(self, key_id: int) -> None:
        """Let an API key no longer be used."""
