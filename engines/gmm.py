"""Gaussian mixture: overlapping groups, with a probability of each group for every customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pandas import DataFrame, Series

from engines.clustering.clusterers import KClusterer, constant_note, explained_variance, key_series
from engines.clustering.mixture import Mixture, fit_mixtures, mixture_from, shares
from engines.clustering.sampling import Codes, count_distinct
from engines.clustering.scaling import Matrix, Space, numbers
from engines.columns import FREQUENCY
from engines.contract import Fitted, Segment, knob
from engines.errors import InputError
from engines.messages import message, noted

if TYPE_CHECKING:  # a class in an engine's module may stand in a kept model
    from engines.clustering.mixture import MixtureFit

#: A component thinner than this (in standard deviations squared) describes a spike of equal customers.
_THIN = 1e-4
_CHUNK = 8192


@dataclass(frozen=True)
class FittedMixture:
    """A fitted mixture. ``keys`` are the components that are someone's most likely one; the others get nobody.

    ``one_order_key`` is the segment of those with one order, where they are set aside.
    """

    place: Space
    mixture: Mixture
    keys: Codes
    segments: tuple[Segment, ...]
    diagnostics: Mapping[str, float]
    notes: tuple[str, ...] = ()
    one_order_key: int | None = None

    def assign(self, customers: DataFrame) -> Series:
        """The key of the most likely component, on the customers' index."""
        codes = np.empty(len(customers), dtype=np.int64)
        matrix = self.place.transform(customers)
        for start in range(0, len(matrix), _CHUNK):
            columns = np.ascontiguousarray(matrix[start : start + _CHUNK].T)
            codes[start : start + _CHUNK] = self.keys[self.mixture.joint(columns)[self.keys].argmax(axis=0)]
        if self.one_order_key is not None:
            codes[_one_order(customers)] = self.one_order_key
        return key_series(codes, customers)

    def membership(self, customers: DataFrame) -> DataFrame:
        """The probability of each segment (columns: keys) for each customer; rows sum to one."""
        matrix = self.place.transform(customers)
        probabilities = shares(self.mixture.joint(np.ascontiguousarray(matrix.T))[self.keys]).T
        result = DataFrame(probabilities, index=customers.index, columns=self.keys.tolist())
        if self.one_order_key is not None:
            aside = _one_order(customers)
            result.loc[aside] = 0.0
            result[self.one_order_key] = aside.astype(np.float64)
        return result

    def space(self, customers: DataFrame) -> Matrix:
        """Where customers lie in the engine's own feature space, shape (customers, dimensions)."""
        return self.place.transform(customers)

    def artifacts(self) -> dict[str, Any]:
        """What pages may show: the space in words, PCA's explained variance, the components' weights."""
        weights = {str(key): float(self.mixture.weights[key]) for key in self.keys.tolist()}
        return {"space": self.place.title, **explained_variance(self.place), "weights": weights}


@dataclass(frozen=True)
class GaussianMixture(KClusterer):
    """A mixture of normal distributions of log-scaled recency, frequency and spend (or other columns)."""

    title: ClassVar[str] = noted("Gaussian mixture")
    summary: ClassVar[str] = noted("Overlapping groups of any elliptic shape, with a probability for every customer.")
    refit_limit: ClassVar[int] = 2_000  # agrees with refits on 20,000 to about 0.01, at a sixth of the cost

    set_aside_one_order: bool = knob(
        False,
        help="Put customers with a single order into a segment of their own, and fit the mixture on the others.",
    )
    smallest_variance: float = knob(
        1e-6,
        low=1e-9,
        high=1.0,
        help="Added to every variance, so that a spike of equal customers stays finite.",
    )

    def fit(self, customers: DataFrame) -> FittedMixture:
        """Fit the mixture, the best of many beginnings.

        The diagnostics are the total log-likelihood, BIC and AIC on the fitted rows, the rounds, whether it settled
        (1 or 0) and how many components are nearly flat.

        Raises:
            InputError: unusable features, k above the number of (different) customers, or nobody with more than one
                order when those with one are set aside.
        """
        return next(self.fit_each(customers, (self.k,)))

    def fit_each(self, customers: DataFrame, ks: Iterable[int]) -> Iterator[FittedMixture]:
        """The mixtures with each k, ascending: each begins from the one before, so that one search serves all.

        Raises:
            InputError: as ``fit`` does, when the turn comes to a k that the table does not allow.
        """
        fitted_on, aside = self._divided(customers)
        wanted = list(ks)
        space, matrix = self.space_of(fitted_on)
        possible = count_distinct(matrix, max(wanted, default=0))
        allowed = [k for k in wanted if k <= possible]
        for k, found in zip(allowed, fit_mixtures(matrix, allowed, self.seed, self.smallest_variance), strict=True):
            yield _fitted(space, matrix, k, found, aside)
        for k in wanted[len(allowed) :]:
            self.space_of(fitted_on, k)  # refuses it

    def refit(self, customers: DataFrame, start: Fitted) -> FittedMixture:
        """Fit the mixture anew from the shares that customers have in the earlier components now; keys stay.

        Raises:
            InputError: as :meth:`fit` does.
        """
        if not isinstance(start, FittedMixture):
            return self.fit(customers)
        fitted_on, aside = self._divided(customers)
        space, matrix = self.space_of(fitted_on, self.k)
        joint = start.mixture.joint(np.ascontiguousarray(start.place.transform(fitted_on).T))
        found = mixture_from(matrix, shares(joint).T, self.smallest_variance)
        return _fitted(space, matrix, self.k, found, aside)

    def _divided(self, customers: DataFrame) -> tuple[DataFrame, np.ndarray | None]:
        """Those whom the mixture is fitted on, and who is set aside, where anybody is to be."""
        if not self.set_aside_one_order:
            return customers, None
        aside = _one_order(customers)
        if aside.all():
            raise InputError(
                "{title}: every customer has one order, so none is left when they are set aside. Turn "
                "set_aside_one_order off.",
                title=self.title,
            )
        return customers[~aside], aside


def _fitted(space: Space, matrix: Matrix, k: int, found: MixtureFit, aside: np.ndarray | None) -> FittedMixture:
    mixture = found.mixture
    keys = _used(mixture, matrix)
    has_rule = aside is not None and bool(aside.any())
    every = (*keys.tolist(), k) if has_rule else tuple(keys.tolist())
    flat, penalty = mixture.flat(_THIN), mixture.parameters
    return FittedMixture(
        space,
        mixture,
        keys,
        tuple(Segment(key) for key in every),
        {
            "log_likelihood": found.log_likelihood,
            "bic": penalty * float(np.log(len(matrix))) - 2 * found.log_likelihood,
            "aic": 2 * penalty - 2 * found.log_likelihood,
            "rounds": float(found.rounds),
            "settled": float(found.converged),
            "near_singular": float(flat),
        },
        (*constant_note(space), *_notes(k, len(keys), flat, found.converged)),
        k if has_rule else None,
    )


def _one_order(customers: DataFrame) -> np.ndarray:
    return numbers(customers, (FREQUENCY,), GaussianMixture.title)[:, 0] <= 1


def _used(mixture: Mixture, matrix: Matrix) -> Codes:
    """The components that are the most likely one of some fitted customer."""
    seen = np.zeros(len(mixture.weights), dtype=bool)
    for start in range(0, len(matrix), _CHUNK):
        seen[mixture.joint(np.ascontiguousarray(matrix[start : start + _CHUNK].T)).argmax(axis=0)] = True
    return np.flatnonzero(seen).astype(np.int64)


def _notes(k: int, used: int, flat: int, settled: bool) -> Iterator[str]:
    if flat:
        yield message(
            "{flat} of {k} components are nearly flat: many customers share a value (such as one "
            "order), so the mixture describes that spike. Try set_aside_one_order, fewer features or "
            "a larger smallest_variance.",
            flat=flat,
            k=k,
        )
    if used < k:
        yield message(
            "{empty} of {k} components are nobody's most likely one, so there are {used} segments.",
            empty=k - used,
            k=k,
            used=used,
        )
    if not settled:
        yield message("The mixture had not settled when its rounds were used up.")
