"""Base of the lifetime models: what each computes, and how it is fitted to purchase histories."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

import numpy as np

from engines.messages import message
from engines.value.lifetime.fitting import Objective, newton_step, search_patiently
from engines.value.lifetime.patterns import Floats, Histories


class LifetimeModel(ABC):
    """A model of repeat purchases. Subclasses are frozen dataclasses of four parameters; time is in weeks.

    Being alive and what follows from it come apart: expected purchases are P(alive) times purchases if alive, and those
    depend on ``x`` and age alone. Arrays are one value per history.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    timed: ClassVar[tuple[str, ...]] = ("alpha",)  #: the parameters that are measured in weeks
    polish: ClassVar[bool] = False  #: whether a Newton step follows the search, whose path is that of lifetimes if not

    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    @abstractmethod
    def objective(cls, histories: Histories, scale: float) -> Objective:
        """Mean negative log-likelihood and its gradient, of the log-parameters in order; times are times ``scale``."""

    @classmethod
    @abstractmethod
    def pooled(cls, histories: Histories) -> Self:
        """The model when likelihood cannot decide: the pooled purchase rate, and a stated guess of the rest.

        The mean rate is (repeat purchases + 1/2) / (customer-weeks + 52): as if half a purchase in one more
        customer-year had been seen, so that "none so far" does not become "never". Rates spread exponentially around
        it (r = 1). Each customer's own history then moves the estimate as in the fitted model.
        """

    @property
    @abstractmethod
    def leaving(self) -> float:
        """How likely a customer drawn at random leaves soon: at one purchase, or within a year."""

    @property
    @abstractmethod
    def guess(self) -> str:
        """What :meth:`pooled` takes leaving to be, in words."""

    @abstractmethod
    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """P(alive | x, t_x, T)."""

    @abstractmethod
    def purchases_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """E[purchases in the next ``weeks`` | alive, x, T]."""

    @abstractmethod
    def none_if_alive(self, x: Floats, age: Floats, weeks: float) -> Floats:
        """P(no purchase in the next ``weeks`` | alive, x, T)."""

    @abstractmethod
    def at_least_if_alive(self, x: Floats, age: Floats, weeks: float, most: int) -> Floats:
        """P(n purchases or more in the next ``weeks`` | alive, x, T) for n = 1..most, shape ``(len(x), most)``."""

    def log_likelihood(self, histories: Histories) -> float:
        """Total log-likelihood over all customers, time in weeks: the figure the literature prints."""
        value, _ = self.objective(histories, 1.0)(np.log(list(self.parameters().values())))
        return -value * histories.customers


@dataclass(frozen=True)
class LifetimeFit:
    """A fitted model and how it was come by: ``method`` is maximum likelihood, penalized or empirical Bayes."""

    model: LifetimeModel
    method: str
    penalizer: float
    converged: bool


def fit_lifetime(kind: type[LifetimeModel], histories: Histories) -> LifetimeFit:
    """A model fitted to distinct histories by maximum likelihood, time scaled so that the longest age is 1.

    Where that does not converge, a penalizer is tried, and where nothing converges or there is nothing to fit (no
    repeat purchase, no time passed), the estimate is :meth:`LifetimeModel.pooled`.
    """
    longest = float(histories.age.max())
    if longest > 0 and histories.purchases > 0:
        objective = kind.objective(histories, 1.0 / longest)
        optimum = search_patiently(objective, 4)
        if optimum is not None:
            optimum = newton_step(objective, optimum) if kind.polish else optimum
            method = message("penalized maximum likelihood") if optimum.penalizer else message("maximum likelihood")
            model = from_scaled(kind, optimum.parameters, longest)
            return LifetimeFit(model, method, optimum.penalizer, not optimum.penalizer)
    return LifetimeFit(kind.pooled(histories), message("empirical Bayes"), 0.0, False)


def from_scaled(kind: type[LifetimeModel], values: Floats, longest: float) -> LifetimeModel:
    """The model of parameters found with time in units of ``longest`` weeks."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    units = {name: longest if name in kind.timed else 1.0 for name in names}
    return kind(**{name: float(value) * units[name] for name, value in zip(names, values, strict=True)})


def pooled_scale(histories: Histories) -> float:
    """``alpha`` of a pooled model with ``r`` = 1: weeks per repeat purchase, see :meth:`LifetimeModel.pooled`."""
    return (float(histories.weights @ histories.age) + 52.0) / (histories.purchases + 0.5)


def poisson_tail(shape: Floats, passed: Floats, weeks: Floats | float, most: int) -> Floats:
    """P(n or more events in ``weeks``) for n = 1..most, of Poisson rates that are Gamma(shape, passed).

    That is a negative binomial; its tail is the regularized incomplete beta function I_z(n, shape) with
    z = weeks / (passed + weeks). Up to a shape of 300 it is summed up, which is faster.

    Returns:
        Shape ``(len(shape), most)``.
    """
    from scipy.special import betainc

    shape, passed, weeks = np.broadcast_arrays(shape, passed, weeks)
    z = weeks / (passed + weeks)
    counts = np.arange(1.0, most + 1.0)
    steps = np.empty((len(shape), most))
    steps[:, 0] = np.exp(-shape * np.log1p(weeks / passed))
    if most > 1:
        steps[:, 1:] = (shape[:, None] + (counts[:-1] - 1.0)) * (z[:, None] / counts[:-1])
    tail = 1.0 - np.cumsum(np.cumprod(steps, axis=1), axis=1)
    many = np.flatnonzero(shape > 300.0)
    if len(many):
        tail[many] = betainc(counts[None, :], shape[many, None], z[many, None])
    return np.asarray(np.maximum(tail, 0.0), dtype=np.float64)
