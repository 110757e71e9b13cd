"""Keeping who may come in: users with their passwords and programs with their keys, of which only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import select

from engines.errors import InputError
from storage.contract.audiences import ApiKey, User
from storage.sql.audiences import DeskVerbs, name_of
from storage.sql.desk_tables import ApiKeyRow, UserRow

LEAST_PASSWORD = 8
MOST_PASSWORD = 1024

# scrypt with 16 MB and some 50 ms per try: n, r, p and the bytes of salt and hash (RFC 7914; OWASP's minimum and above)
_N, _R, _P, _SALT = 2**14, 8, 5, 16
_KEY_PREFIX = "sgm_"


class PeopleVerbs(DeskVerbs):
    """The verbs about users and API keys."""

    def add_user(self, name: str, password: str) -> User:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
            raise InputError(f"A password has {LEAST_PASSWORD} to {MOST_PASSWORD:,} characters; choose another.")
        called = name_of("user", name)
        now = self._clock()
        values = {"name": called, "password_hash": _hashed(password), "created_at": now}
        with self._database.writing(self._workspace_id) as transaction:
            number = transaction.add_one(UserRow, values)
        if number is None:
            raise InputError(
                f"There is a user called {called!r} already; choose another name, or remove that one first."
            )
        return User(number, called, now)

    def users(self) -> list[User]:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        return [User(row.id, row.name, row.created_at) for row in self._all(UserRow, UserRow.name)]

    def check_user(self, name: str, password: str) -> User | None:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        given = password if len(password) <= MOST_PASSWORD else ""
        try:
            called = name_of("user", name)
        except InputError:
            called = ""
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(select(UserRow).where(UserRow.name == called))
            row = rows[0][0] if rows else None
            # where there is no such user a hash is worked out all the same, so that the time does not tell who there is
            right = _matches(given, _NOBODY if row is None else row.password_hash)
            return User(row.id, row.name, row.created_at) if row is not None and right else None

    def remove_user(self, user_id: int) -> None:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        self._remove(UserRow, user_id, "user")

    def add_api_key(self, name: str) -> tuple[ApiKey, str]:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        key, called, now = _KEY_PREFIX + secrets.token_urlsafe(32), name_of("key", name), self._clock()
        values = {"name": called, "key_hash": _digest(key), "created_at": now}
        with self._database.writing(self._workspace_id) as transaction:
            number = transaction.add_one(ApiKeyRow, values)
        if number is None:
            raise InputError(
                f"There is a key called {called!r} already; choose another name, or remove that one first."
            )
        return ApiKey(number, called, now), key

    def api_keys(self) -> list[ApiKey]:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        return [ApiKey(row.id, row.name, row.created_at) for row in self._all(ApiKeyRow, ApiKeyRow.name)]

    def check_api_key(self, key: str) -> ApiKey | None:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        with self._database.reading(self._workspace_id) as transaction:
            rows = transaction.rows(select(ApiKeyRow).where(ApiKeyRow.key_hash == _digest(key)))
            return ApiKey(rows[0][0].id, rows[0][0].name, rows[0][0].created_at) if rows else None

    def remove_api_key(self, key_id: int) -> None:
        """See :class:`~storage.contract.audiences.DeskStore`."""
        self._remove(ApiKeyRow, key_id, "API key")


def _digest(key: str) -> str:
    """The hash of an API key. It is 256 random bits, which nobody can guess: a slow hash would only slow each call."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _hashed(password: str) -> str:
    """A password's hash as text, with the salt and the settings it was made with."""
    salt = secrets.token_bytes(_SALT)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def _matches(password: str, kept: str) -> bool:
    _, n, r, p, salt, expected = kept.split("$")
    made = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=64 * 1024 * 1024, dklen=32)


_NOBODY = f"scrypt${_N}${_R}${_P}${'00' * _SALT}${'00' * 32}"
