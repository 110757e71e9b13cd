"""Scaling of customer columns: logarithms of skewed amounts, standardisation, principal components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from engines.columns import DICTIONARY, describe
from engines.errors import InputError

Matrix = NDArray[np.float64]

LOG = "log1p"
STANDARD = "standard"
RAW = "none"
SCALINGS = (LOG, STANDARD, RAW)

#: Kinds of columns whose large values lie far apart; shares and flags already lie between 0 and 1.
_SKEWED = frozenset({"count", "days", "weeks", "money", "number"})


def numbers(customers: DataFrame, columns: tuple[str, ...], owner: str) -> Matrix:
    """The columns as a matrix of finite numbers, shape (customers, columns), each column contiguous in memory.

    Args:
        customers: one row each, indexed by customer id.
        columns: which columns, in this order.
        owner: whose need it is ("K-means"), for the message.

    Raises:
        InputError: a column is missing, is not made of numbers, or has an empty or infinite value; names the column,
            the first such customer and the remedy.
    """
    # columns are what everything here works on, and a contiguous one takes its logarithms in a tenth of the time
    matrix = np.empty((len(customers), len(columns)), order="F")
    for position, values in enumerate(each_finite(customers, columns, owner)):
        matrix[:, position] = values
    return matrix


def each_finite(customers: DataFrame, columns: tuple[str, ...], owner: str) -> Iterator[Matrix]:
    """The columns one by one as finite numbers, shape (customers,); they may be the table's own, so leave them as is.

    Raises:
        InputError: as :func:`numbers` does.
    """
    missing = [name for name in columns if name not in customers.columns]
    if missing:
        raise InputError(
            "{owner} needs {columns}; this table has no {missing}. Map the columns they are made "
            "from with --map FIELD=COLUMN, or choose other features.",
            owner=owner,
            columns=", ".join(columns),
            missing=", ".join(missing),
        )
    for name in columns:
        column = customers[name]
        if not (is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype)):
            raise InputError(
                "{owner} cannot use {name}: it is not made of numbers. Choose numeric columns.", owner=owner, name=name
            )
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        good = np.isfinite(values)
        if not good.all():
            first = customers.index[int(np.argmin(good))]
            what = "no value" if np.isnan(values[~good][0]) else "an infinite value"
            raise InputError(
                "{owner} cannot use {name}: {count} customers have {what} in it, the first is {first}. "
                "Correct those values, leave these customers out, or choose other features.",
                owner=owner,
                name=name,
                count=int((~good).sum()),
                what=what,
                first=first,
            )
        yield values


@dataclass(frozen=True)
class Space:
    """The space in which an engine measures how alike customers are; fitted once, applied to new customers as it is.

    ``columns`` are all features, ``kept`` the positions of those that vary, ``logged`` says which of the kept are
    logarithms (sign(x) log(1 + |x|), so that a negative net spend is possible). ``centre`` and ``scale`` have one value
    for each kept column. ``rotation`` (kept x components) and ``explained`` (each component's share of the variance)
    are there with PCA only.
    """

    owner: str
    columns: tuple[str, ...]
    kept: tuple[int, ...]
    logged: tuple[bool, ...]
    centre: Matrix
    scale: Matrix
    rotation: Matrix | None = None
    explained: Matrix | None = None

    @property
    def constant(self) -> tuple[str, ...]:
        """The features that were left out because they are the same for everyone."""
        return tuple(name for position, name in enumerate(self.columns) if position not in self.kept)

    @property
    def title(self) -> str:
        """What the space is made of, in words: a silhouette means nothing without it."""
        pairs = zip(self.kept, self.logged, strict=True)
        names = ", ".join(f"log {self.columns[p]}" if log else self.columns[p] for p, log in pairs)
        turned = f", {self.rotation.shape[1]} principal components" if self.rotation is not None else ""
        return f"{names}{turned}" or "nothing varies"

    def transform(self, customers: DataFrame) -> Matrix:
        """Where customers lie, shape (customers, dimensions); one dimension of zeros when nothing varies.

        Raises:
            InputError: as :func:`numbers` does.
        """
        return self._transformed(numbers(customers, self.columns, self.owner))

    def _transformed(self, matrix: Matrix) -> Matrix:
        if not self.kept:
            return np.zeros((len(matrix), 1))
        matrix = _only(matrix, self.kept)
        for position, log in enumerate(self.logged):
            values = matrix[:, position]
            if log:
                signed_log(values, out=values)
            values -= self.centre[position]
            values /= self.scale[position]
        return matrix if self.rotation is None else _turned(matrix, self.rotation)


def signed_log(values: Matrix, out: Matrix | None = None) -> Matrix:
    """log(1 + x) for x >= 0, and the mirror image of it below; written to ``out``, which may be ``values``."""
    if values.size == 0 or values.min() >= 0:
        return np.asarray(np.log1p(values, out=out))
    return np.asarray(np.multiply(np.sign(values), np.log1p(np.abs(values)), out=out))


def fit_space(
    customers: DataFrame, columns: tuple[str, ...], owner: str, *, scaling: str = LOG, components: int = 0
) -> tuple[Space, Matrix]:
    """The space of these customers and where they lie in it.

    Args:
        customers: one row each.
        columns: the features.
        owner: whose space it is, for messages.
        scaling: ``log1p`` (logarithm of skewed columns, then mean 0 and deviation 1), ``standard`` (without logarithm)
            or ``none``. A column that is the same for everyone says nothing and is left out.
        components: keep so many principal components; 0 for none.

    Raises:
        InputError: unusable columns, no columns at all, the same column twice, or more components than columns vary.
    """
    if not columns:
        raise InputError("{owner}: features is empty; name at least one column.", owner=owner)
    if len(set(columns)) < len(columns):
        raise InputError("{owner}: features names a column twice: {columns}.", owner=owner, columns=", ".join(columns))
    if len(customers) == 0:
        raise InputError("{owner} needs at least one customer; this table has none.", owner=owner)
    matrix = numbers(customers, columns, owner)
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    varying = tuple(int(p) for p in np.flatnonzero(low < high))
    logged = tuple(scaling == LOG and _is_skewed(columns[p], low[p], high[p]) for p in varying)
    centre, scale = np.zeros(len(varying)), np.ones(len(varying))
    scaled = _only(matrix, varying) if varying else np.zeros((len(matrix), 1))
    for position, log in enumerate(logged):
        values = scaled[:, position]
        if log:
            signed_log(values, out=values)
        if scaling != RAW:
            # a column can vary by less than its own rounding, and then its deviation is zero
            centre[position], scale[position] = values.mean(), values.std() or 1.0
        values -= centre[position]
        values /= scale[position]
    space = Space(owner, columns, varying, logged, centre, scale)
    if components == 0 or not varying:
        return space, scaled
    if components > len(varying):
        raise InputError(
            "{owner}: components = {components} is more than the {kept} features that vary; choose fewer, or 0.",
            owner=owner,
            components=components,
            kept=len(varying),
        )
    rotation, variance = _principal(scaled, components)
    space = Space(owner, columns, varying, logged, centre, scale, rotation, variance)
    return space, _turned(scaled, rotation)


def _only(matrix: Matrix, columns: tuple[int, ...]) -> Matrix:
    """The kept columns, each contiguous; the same matrix when all are kept."""
    return matrix if len(columns) == matrix.shape[1] else np.asfortranarray(matrix[:, list(columns)])


def _is_skewed(name: str, low: float, high: float) -> bool:
    """Whether large values of a column lie far apart; one the dictionary does not know is a share if it is in 0..1."""
    if name not in DICTIONARY and low >= 0 and high <= 1:
        return False
    return describe(name).kind in _SKEWED


def _turned(matrix: Matrix, rotation: Matrix) -> Matrix:
    """Matrix times rotation by columns: a matrix product rounds one customer alone unlike the same in a crowd."""
    result = np.zeros((len(matrix), rotation.shape[1]), order="F")
    for component in range(rotation.shape[1]):
        for column in range(rotation.shape[0]):
            result[:, component] += matrix[:, column] * rotation[column, component]
    return result


def _principal(matrix: Matrix, components: int) -> tuple[Matrix, Matrix]:
    """Directions of the largest variance (columns) and each one's share; the largest loading is made positive."""
    covariance = np.atleast_2d(np.cov(matrix, rowvar=False, bias=True))
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1]
    chosen = vectors[:, order[:components]]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(components)])
    total = max(float(values.sum()), np.finfo(float).tiny)
    return chosen * signs, values[order[:components]] / total
