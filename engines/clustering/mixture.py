"""Gaussian mixture fitted by EM: the parameters, and the probability of each component for each customer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Starts

from engines.clustering.sampling import count_distinct, sample_rows, threads_for
from engines.clustering.scaling import Matrix

#: The search for a mixture sees at most so many customers; above, what it finds on a sample is polished on all.
SEARCHED = 50_000
#: Beginnings are tried on at most so many customers, for so many rounds each.
TRIED, TRIAL_ROUNDS = 5_000, 20
#: How many random beginnings there are, beside the splits of the mixture with one component less.
STARTS = 2
_TOLERANCE = 1e-4  # smallest gain in mean log-likelihood that is worth another round
_ROUNDS = 200
_CHUNK = 8192
_DISTINCT = 50  # no engine makes more segments


@dataclass(frozen=True)
class Mixture:
    """k normal distributions: weights (k), means (k x d), covariances (k x d x d); each log-density at will."""

    weights: Matrix
    means: Matrix
    covariances: Matrix

    @property
    def parameters(self) -> int:
        """How many numbers were estimated, for BIC and AIC."""
        k, d = self.means.shape
        return int(k * d + k * d * (d + 1) // 2 + k - 1)

    @cached_property
    def _roots(self) -> list[tuple[Matrix, float]]:
        """Of each component: the matrix that makes it round, and the log of weight times density at its mean."""
        roots = []
        for weight, covariance in zip(self.weights, self.covariances, strict=True):
            lower = np.linalg.cholesky(covariance)
            volume = np.log(np.diag(lower)).sum() + len(lower) / 2 * np.log(2 * np.pi)
            inverse = np.asarray(np.linalg.solve(lower, np.eye(len(lower))), dtype=np.float64)
            roots.append((inverse, float(np.log(weight) - volume)))
        return roots

    def joint(self, columns: Matrix) -> Matrix:
        """log(weight x density), shape (k, rows), of rows given as columns (d x rows).

        Row by row without matrix products, so that a customer gets the same answer alone as in a crowd.
        """
        dimensions = len(columns)
        result = np.empty((len(self.weights), columns.shape[1]))
        part, product = np.empty(columns.shape[1]), np.empty(columns.shape[1])
        for position, (inverse, height) in enumerate(self._roots):
            centred = [values - mean for values, mean in zip(columns, self.means[position], strict=True)]
            squared = result[position]
            squared[:] = 0.0
            for row in range(dimensions):
                np.multiply(centred[0], inverse[row, 0], out=part)
                for column in range(1, row + 1):
                    np.multiply(centred[column], inverse[row, column], out=product)
                    np.add(part, product, out=part)
                np.multiply(part, part, out=part)
                np.add(squared, part, out=squared)
            squared /= -2
            squared += height
        return result

    def flat(self, variance: float) -> int:
        """How many components are thinner than ``variance`` in some direction: they describe a spike, not a group."""
        return int((np.linalg.eigvalsh(self.covariances)[:, 0] < variance).sum())


@dataclass(frozen=True)
class MixtureFit:
    """A mixture with its total log-likelihood on the rows it was fitted on, and whether it converged."""

    mixture: Mixture
    log_likelihood: float
    rounds: int
    converged: bool


def fit_mixtures(matrix: Matrix, ks: Iterable[int], seed: int, smallest_variance: float) -> Iterator[MixtureFit]:
    """Expectation maximisation (Dempster, Laird & Rubin 1977) for each number of components, one after the other.

    Every mixture starts from the best of two kinds of beginnings, each tried for a few rounds (Biernacki, Celeux &
    Govaert 2003): random ones, and the mixture with one component less, with each of its components split in
    two along each of its axes (as Verbeek, Vlassis & Krose 2003 insert components). As the smaller mixture is a special
    case of the larger, the log-likelihood never falls with the number of components.

    What is found for a number does not depend on the others that are asked for.

    Args:
        matrix: shape (rows, dimensions), at least as many distinct rows as the largest of ``ks``. Above 50,000 rows the
            search sees a sample of so many, and what it finds is polished on all.
        ks: numbers of components, ascending.
        seed: of starts and samples.
        smallest_variance: added to every variance, so that a spike does not become infinitely dense.
    """
    wanted = list(ks)
    if not wanted:
        return
    most = wanted[-1]
    searched = _sample(matrix, SEARCHED, seed)
    tried = _sample(searched, TRIED, seed)
    best = _polished(searched, _one(searched, smallest_variance), smallest_variance)
    for k in range(1, most + 1):
        if k > 1:
            best = _next(best, searched, tried, seed, smallest_variance)
        if k in wanted:
            yield best if searched is matrix else _polished(matrix, best.mixture, smallest_variance)


def _sample(matrix: Matrix, limit: int, seed: int) -> Matrix:
    """At most so many rows; the whole matrix where a sample would have too few distinct rows for some k."""
    if len(matrix) <= limit:
        return matrix
    rows = matrix[sample_rows(len(matrix), limit, seed)]
    return rows if count_distinct(rows, _DISTINCT) == count_distinct(matrix, _DISTINCT) else matrix


def _one(matrix: Matrix, smallest_variance: float) -> Mixture:
    """The mixture of one component, which is known without a search."""
    centred = matrix - matrix.mean(axis=0)
    covariance = centred.T @ centred / len(matrix) + smallest_variance * np.eye(matrix.shape[1])
    return Mixture(np.ones(1), matrix.mean(axis=0, keepdims=True), covariance[None])


def _next(before: MixtureFit, searched: Matrix, tried: Matrix, seed: int, smallest_variance: float) -> MixtureFit:
    """The best mixture with one component more than ``before``, and no less likely than it on the rows searched."""
    k = len(before.mixture.weights) + 1
    starts = [*_random(tried, k, seed, smallest_variance), *_splits(before.mixture, smallest_variance)]
    tried_out = [_polished(tried, start, smallest_variance, rounds=TRIAL_ROUNDS) for start in starts]
    order = sorted(range(len(starts)), key=lambda place: (-tried_out[place].log_likelihood, place))
    best: MixtureFit | None = None
    for place in order:
        found = _polished(searched, tried_out[place].mixture, smallest_variance)
        if best is None or found.log_likelihood > best.log_likelihood:
            best = found
        if best.log_likelihood >= before.log_likelihood:
            return _in_order(best)
    doubled = _halved(before.mixture, int(before.mixture.weights.argmax()))  # the smaller mixture, said with one more
    return replace(before, mixture=doubled)


def _random(tried: Matrix, k: int, seed: int, smallest_variance: float) -> list[Mixture]:
    """A mixture to begin with: the best of several that scikit-learn begins from k-means."""
    with warnings.catch_warnings(), threads_for(len(tried)):
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is a beginning
        fitted = Starts(
            k, n_init=STARTS, max_iter=TRIAL_ROUNDS, random_state=seed, reg_covar=smallest_variance, tol=_TOLERANCE
        ).fit(tried)
    return [Mixture(fitted.weights_, fitted.means_, fitted.covariances_)]


def _splits(mixture: Mixture, smallest_variance: float) -> Iterator[Mixture]:
    """A mixture with each of its components split in two halves along each of its axes, as far as it has a width."""
    for place, covariance in enumerate(mixture.covariances):
        lengths, axes = np.linalg.eigh(covariance)
        for length, axis in zip(lengths[::-1], axes.T[::-1], strict=True):
            if length <= 4 * smallest_variance:
                continue
            axis = axis * np.sign(axis[np.abs(axis).argmax()])
            doubled = _halved(mixture, place)
            means, covariances = doubled.means.copy(), doubled.covariances.copy()
            step = np.sqrt(length) / 2  # keeps mean and covariance of the two together as they were
            means[place] += step * axis
            means[-1] -= step * axis
            covariances[[place, -1]] -= step**2 * np.outer(axis, axis)
            yield Mixture(doubled.weights, means, covariances)


def _halved(mixture: Mixture, place: int) -> Mixture:
    """The same distribution, with one component said as two equal halves."""
    weights = np.append(mixture.weights, mixture.weights[place] / 2)
    weights[place] /= 2
    return Mixture(
        weights,
        np.vstack([mixture.means, mixture.means[place]]),
        np.concatenate([mixture.covariances, mixture.covariances[place][None]]),
    )


def _in_order(fit: MixtureFit) -> MixtureFit:
    """The components in the order of their means, so that keys do not depend on how the mixture was found."""
    mixture = fit.mixture
    order = np.lexsort(np.round(mixture.means, 10).T[::-1])
    return replace(fit, mixture=Mixture(mixture.weights[order], mixture.means[order], mixture.covariances[order]))


def mixture_from(matrix: Matrix, membership: Matrix, smallest_variance: float) -> MixtureFit:
    """Expectation maximisation that begins with the customers' shares in each component, whose numbers stay.

    Args:
        matrix: shape (rows, dimensions).
        membership: probabilities, shape (rows, components); rows sum to one.
        smallest_variance: added to every variance.
    """
    mass = membership.sum(axis=0) + 10 * np.finfo(float).eps
    means = (membership.T @ matrix) / mass[:, None]
    covariances = np.empty((len(mass), matrix.shape[1], matrix.shape[1]))
    for position, share in enumerate(membership.T):
        centred = matrix - means[position]
        covariances[position] = (centred * share[:, None]).T @ centred / mass[position]
    covariances += smallest_variance * np.eye(matrix.shape[1])
    return _polished(matrix, Mixture(mass / mass.sum(), means, covariances), smallest_variance)


def _polished(matrix: Matrix, mixture: Mixture, smallest_variance: float, rounds: int = _ROUNDS) -> MixtureFit:
    """A mixture after as many rounds as still help; the most likely of all that were passed."""
    before: MixtureFit | None = None
    with threads_for(_CHUNK):  # products as small as these are slowed down by threads
        for done in range(rounds + 1):
            log_likelihood, better = _round(matrix, mixture, smallest_variance)
            # what was measured is the mixture before this round
            here = MixtureFit(mixture, log_likelihood, done, False)
            if before is not None and log_likelihood - before.log_likelihood < _TOLERANCE * len(matrix):
                return replace(here if log_likelihood >= before.log_likelihood else before, converged=True)
            before, mixture = here, better
    assert before is not None
    return before


def _round(matrix: Matrix, mixture: Mixture, smallest_variance: float) -> tuple[float, Mixture]:
    """The log-likelihood of a mixture, and the mixture after one round of expectation and maximisation."""
    k, dimensions = mixture.means.shape
    mass, sums, products = np.zeros(k), np.zeros((k, dimensions)), np.zeros((k, dimensions, dimensions))
    log_likelihood = 0.0
    for start in range(0, len(matrix), _CHUNK):
        columns = np.ascontiguousarray(matrix[start : start + _CHUNK].T)
        joint = mixture.joint(columns)
        top = joint.max(axis=0)
        shares = np.exp(joint - top)
        total = shares.sum(axis=0)
        log_likelihood += float((top + np.log(total)).sum())
        shares /= total
        mass += shares.sum(axis=1)
        sums += shares @ columns.T
        for position, share in enumerate(shares):
            # around the old mean, so that a thin component does not drown in rounding
            centred = columns - mixture.means[position][:, None]
            products[position] += (centred * share) @ centred.T
    mass += 10 * np.finfo(float).eps
    means = sums / mass[:, None]
    shift = means - mixture.means
    covariances = products / mass[:, None, None] - shift[:, :, None] * shift[:, None, :]
    covariances += smallest_variance * np.eye(dimensions)
    return log_likelihood, Mixture(mass / mass.sum(), means, covariances)


def shares(joint: Matrix) -> Matrix:
    """Probabilities from log(weight x density): each column sums to one."""
    result = np.exp(joint - joint.max(axis=0))
    result /= result.sum(axis=0)
    return np.asarray(result)
