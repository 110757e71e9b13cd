"""Gaussian mixture fitted by EM: the parameters, and the probability of each component for each customer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Starts

from engines.clustering.sampling import count_distinct, sample_rows, threads_for
from engines.clustering.scaling import Matrix

#: Up to so many customers every start sees everyone; above, starts see a sample and the best is polished on all.
START_SAMPLE = 20_000
STARTS = 5
_TOLERANCE = 1e-4  # smallest gain in mean log-likelihood that is worth another round
_ROUNDS = 200
_CHUNK = 8192


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


def fit_mixture(matrix: Matrix, k: int, seed: int, smallest_variance: float) -> MixtureFit:
    """Expectation maximisation (Dempster, Laird & Rubin 1977), the best of several starts, polished on every row.

    Args:
        matrix: shape (rows, dimensions), at least ``k`` distinct rows.
        k: components.
        seed: of starts and sample.
        smallest_variance: added to every variance, so that a spike does not become infinitely dense.
    """
    rows = sample_rows(len(matrix), START_SAMPLE, seed)
    sample = matrix[rows] if count_distinct(matrix[rows], k) == k else matrix
    if k == 1:
        whole = Mixture(np.ones(1), matrix.mean(axis=0, keepdims=True), np.eye(matrix.shape[1])[None])
        return _polished(matrix, whole, smallest_variance)
    with warnings.catch_warnings(), threads_for(len(sample)):
        warnings.simplefilter("ignore", ConvergenceWarning)  # ``converged`` says so
        fitted = Starts(k, n_init=STARTS, random_state=seed, reg_covar=smallest_variance).fit(sample)
    order = np.lexsort(np.round(fitted.means_, 10).T[::-1])
    mixture = Mixture(fitted.weights_[order], fitted.means_[order], fitted.covariances_[order])
    return _polished(matrix, mixture, smallest_variance)


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


def _polished(matrix: Matrix, mixture: Mixture, smallest_variance: float) -> MixtureFit:
    before = -np.inf
    with threads_for(_CHUNK):  # products as small as these are slowed down by threads
        for done in range(_ROUNDS):
            log_likelihood, better = _round(matrix, mixture, smallest_variance)
            if log_likelihood - before < _TOLERANCE * len(matrix):
                # what was measured is the mixture before this round
                return MixtureFit(mixture, log_likelihood, done, True)
            before, mixture = log_likelihood, better
        return MixtureFit(mixture, _round(matrix, mixture, smallest_variance)[0], _ROUNDS, False)


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
