"""Maximum likelihood with a gradient, and a penalised second try where the first one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engines.value.lifetime.patterns import Floats

#: Takes log-parameters, gives the mean negative log-likelihood and its gradient.
Objective = Callable[[Floats], tuple[float, Floats]]

#: Weights of the squared log-parameters that are tried in turn when the plain fit does not converge. They are
#: log-normal priors around 1 (time in units of the longest age, money in units of the mean), from weak to firm.
PENALIZERS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

#: A parameter beyond this (or below its inverse), in those units, is not decided by the data: the likelihood is flat
#: there, and where a search stops is chance. Real: hardly anyone leaves a shop in its first months, so that a runs to
#: 0 and b to infinity.
EDGE = 1e4

_TOLERANCE = 1e-7  # lifetimes' own, as are the start and the method: so its optimum is ours
_START = 0.1


@dataclass(frozen=True)
class Optimum:
    """Parameters found, and the penalizer that was needed (0: plain maximum likelihood)."""

    parameters: Floats
    penalizer: float


def search(objective: Objective, size: int, penalizer: float = 0.0, decided: int | None = None) -> Optimum | None:
    """The parameters that minimise an objective, or None where the search does not converge.

    The path is that of ``lifetimes``: BFGS on log-parameters from 0.1 with tolerance 1e-7, here with an analytic
    gradient. None stands for a ``ConvergenceError`` of ``lifetimes``, and for parameters that ran off to the edge.

    Args:
        objective: of the log-parameters, shape ``(size,)``.
        size: number of parameters.
        penalizer: weight of the sum of squared log-parameters that is added to the objective.
        decided: how many of the parameters, from the first, must lie within the edges; all unless told.
    """
    from scipy.optimize import minimize

    def penalized(logs: Floats) -> tuple[float, Floats]:
        value, gradient = objective(logs)
        return value + penalizer * float(logs @ logs), gradient + 2.0 * penalizer * logs

    with np.errstate(all="ignore"):  # a step too far gives inf or NaN, which the line search takes back
        optimum = minimize(penalized, np.full(size, _START), jac=True, method="BFGS", tol=_TOLERANCE)
        parameters = np.exp(optimum.x)
    if not optimum.success or not np.isfinite(optimum.fun) or not np.isfinite(optimum.x).all():
        return None
    inside = (np.abs(optimum.x[:decided]) < np.log(EDGE)).all()
    return Optimum(parameters, penalizer) if inside else None


def search_patiently(
    objective: Objective, size: int, penalizers: Sequence[float] = (0.0, *PENALIZERS)
) -> Optimum | None:
    """The optimum with the first of the penalizers that converges, or None when none does."""
    for penalizer in penalizers:
        optimum = search(objective, size, penalizer)
        if optimum is not None:
            return optimum
    return None


def curvature(objective: Objective, logs: Floats) -> Floats:
    """The Hessian of an objective at log-parameters, by central differences of its gradient; shape ``(size, size)``."""
    step = 1e-4  # the error is of the order of its square
    rows = [objective(logs + shift)[1] - objective(logs - shift)[1] for shift in step * np.eye(len(logs))]
    hessian = np.array(rows) / (2.0 * step)
    return (hessian + hessian.T) / 2.0


def newton_step(objective: Objective, optimum: Optimum) -> Optimum:
    """The optimum after a step of Newton's method, where that makes the gradient smaller.

    BFGS stops at a gradient of 1e-7, which along a flat direction is a millionth off in the parameters.
    """
    logs, penalizer = np.log(optimum.parameters), optimum.penalizer

    def slope(at: Floats) -> Floats:
        return np.asarray(objective(at)[1] + 2.0 * penalizer * at, dtype=np.float64)

    before = slope(logs)
    hessian = curvature(objective, logs) + 2.0 * penalizer * np.eye(len(logs))
    better = logs - np.linalg.lstsq(hessian, before, rcond=1e-12)[0]
    if np.abs(slope(better)).max() < np.abs(before).max() and np.abs(better - logs).max() < 0.01:
        return Optimum(np.exp(better), penalizer)
    return optimum
