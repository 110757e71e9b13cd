"""Contract of an engine: settings that validate themselves, a fit that returns a second value, and labels for everyone.

An engine is a frozen dataclass whose fields are made by :func:`knob`: the instance *is* its settings. The dashboard's
forms, the API's schema, command-line flags and the stored JSON all read the same knobs.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from pandas import DataFrame, Series

from engines.columns import FREQUENCY, MONETARY, RECENCY
from engines.errors import InputError

#: Why a date of a timeline is an alert.
DriftCause = Literal["agreement", "population"]


@dataclass(frozen=True)
class Shift:
    """How far one column of the customers has moved since the model was frozen.

    ``psi``: population stability index over tenths of the customers of then, 0 where nothing moved. ``effect``: Cliff's
    delta, -1 to 1: how much likelier it is that a customer of now has more than one of then, than that it has less.
    ``before``, ``now``: medians, in the column's own unit. ``same_age_psi``: the index with the customers of now
    weighted so that they are as long known as those of then, None where that cannot be. ``beyond_chance``: whether both
    are more than chance makes of so many customers.
    """

    column: str
    psi: float
    effect: float
    before: float
    now: float
    same_age_psi: float | None = None
    beyond_chance: bool = False

    @property
    def size(self) -> float:
        """What counts of the movement: the smaller of both indices, 0 where chance alone could have made it."""
        if not self.beyond_chance:
            return 0.0
        return self.psi if self.same_age_psi is None else min(self.psi, self.same_age_psi)


@dataclass(frozen=True)
class Size:
    """A segment of the frozen model at one date: its key, how many customers it holds, what they spent in the window.

    (Timelines of earlier versions had no window: there it is what customers had spent so far.)
    """

    key: int
    customers: int
    revenue: float


@dataclass(frozen=True)
class DriftPoint:
    """How well a frozen model still agrees with a refit on the customers of one date.

    ``ari``: adjusted Rand index of the frozen model's labels and the refit's. ``noise_low``: 5th percentile of the
    index between bootstrap refits, None where it is not known; ``noise_measured`` says whether it was measured at this
    date or lies between those of dates before and after. ``alert``: there is a cause. ``cause``: ``agreement`` where
    ``ari`` is below the threshold and below the noise while the customers have changed, ``population`` where the
    customers have changed much, else None. ``moved_share``: customers whom the frozen model puts elsewhere than at the
    date before, of those known at both. ``model_moved``: customers whom the refit puts elsewhere than the frozen model,
    its segments paired with the frozen ones so that this is least. ``refit_on``, ``noise_on``: customers in each refit.
    ``shifts``: of the measures of the last quarter, against the date of freezing.
    """

    as_of: str
    customers: int
    ari: float
    alert: bool
    noise_low: float | None = None
    moved_share: float | None = None
    model_moved: float | None = None
    noise_measured: bool = False
    refit_on: int | None = None
    noise_on: int | None = None
    shifts: tuple[Shift, ...] = ()
    sizes: tuple[Size, ...] = ()
    cause: DriftCause | None = None


@dataclass(frozen=True)
class AgeAgreement:
    """How well models of one age agree with models made anew.

    ``months``: the age. ``ari``, ``low``, ``high``: mean, least and largest adjusted Rand index over ``pairs`` dates,
    each on that date's customers.
    """

    months: int
    ari: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class LivePoint:
    """A finished run against the run before it of the same data set, engine and settings, on customers in both.

    ``against``: the earlier run, as of ``before``. ``ari`` and ``noise_low``: of the earlier run's model and this
    run's, both labelling these customers as they are now. ``moved_share``: those the earlier model puts elsewhere than
    it did.
    """

    against: int
    before: str
    as_of: str
    customers: int
    ari: float
    alert: bool
    noise_low: float | None = None
    moved_share: float | None = None


__all__ = [
    "MODEL_LIMIT", "Adjustable", "AgeAgreement", "Conditions", "DriftCause", "DriftPoint", "Engine", "Facts", "Fitted",
    "Knob", "LivePoint", "NamedSegment", "Play", "Predecessor", "Segment", "Segmentation", "knob",
]  # fmt: skip

#: Bytes of the largest fitted model that is kept, and as much may be unpacked from one.
MODEL_LIMIT = 64 * 2**20

_TYPE_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", tuple: "a list of texts"}


@dataclass(frozen=True)
class Knob:
    """One setting of an engine: its default, the values it may take and a sentence of help."""

    name: str
    default: Any
    low: float | None
    high: float | None
    choices: tuple[Any, ...] | None
    help: str

    @property
    def type(self) -> type:
        """The type of its values, which is that of the default."""
        return type(self.default)

    def to_dict(self) -> dict[str, Any]:
        """The knob as plain JSON-ready values, for forms and schemas."""
        return {**dataclasses.asdict(self), "type": self.type.__name__}

    def check(self, value: Any, owner: str) -> Any:
        """The value in the knob's own type.

        Raises:
            InputError: the value has another type or is out of bounds; the message names the engine, the knob, the
                value and what is allowed.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.type is tuple and isinstance(value, list):
            value = tuple(value)
        wrong_type = not isinstance(value, self.type) or (self.type is int and isinstance(value, bool))
        if wrong_type or (self.type is tuple and not all(isinstance(item, str) for item in value)):
            raise InputError(
                "{owner}: {name} must be {type}, not {value}.",
                owner=owner,
                name=self.name,
                type=_TYPE_WORDS[self.type],
                value=repr(value),
            )
        if self.choices is not None:
            unknown = [item for item in (value if self.type is tuple else (value,)) if item not in self.choices]
            if unknown:
                allowed = ", ".join(map(str, self.choices))
                raise InputError(
                    "{owner}: {name} cannot be {value}; choose from {allowed}.",
                    owner=owner,
                    name=self.name,
                    value=repr(unknown[0]),
                    allowed=allowed,
                )
        if self.type in (int, float):
            below = self.low is not None and not value >= self.low  # "not >=" so that NaN is refused as well
            above = self.high is not None and not value <= self.high
            if below or above:
                bounds = f"between {self.low} and {self.high}" if self.high is not None else f"at least {self.low}"
                raise InputError(
                    "{owner}: {name} = {value} is out of range; it must be {bounds}.",
                    owner=owner,
                    name=self.name,
                    value=repr(value),
                    bounds=bounds,
                )
        return value


def knob(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] | None = None,
    help: str,
) -> Any:
    """A field of an engine that users may turn.

    Args:
        default: value used when nothing is said; its type (int, float, bool, str or a tuple of str) is the knob's type.
        low: smallest value allowed, for numbers.
        high: largest value allowed, for numbers.
        choices: the values allowed; for a tuple, the allowed items.
        help: one sentence for forms and ``--help``.
    """
    return field(default=default, metadata={"knob": Knob("", default, low, high, choices, help)})


@dataclass(frozen=True)
class Segment:
    """A segment as its engine knows it. An empty name means that naming decides; so does an empty action.

    ``checked``: the name comes from a rule that is the same for every shop, and is kept only where the playbook's
    conditions for it are true of the customers; other names are kept as they are given.
    """

    key: int
    name: str = ""
    action: str = ""
    checked: bool = False


@runtime_checkable
class Fitted(Protocol):
    """What ``fit`` returns.

    It may add

    - ``notes``: sentences for people;
    - ``space(customers)``: the matrix in which its distances are measured, a row for each customer;
    - ``membership(customers)``: a DataFrame on the same index, a column for each segment key, with probabilities;
    - ``explain(customers)``: a DataFrame on the same index that says why each customer is in its segment: a column for
      each thing to tell, with numbers or texts. An engine that scores columns gives ``<column>_score`` for each, their
      ``score``, and the nearest way to another segment: ``exit_column``, ``exit_value`` and ``exit_segment`` (a name),
      empty where there is none; the values of each score are its artifact ``cut_points``;
    - ``artifacts()``: what pages may show, JSON-ready.
    """

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Every segment a customer can be put into."""
        ...

    @property
    def diagnostics(self) -> Mapping[str, float]:
        """Figures of the fit by name: inertia, bic, ..."""
        ...

    def assign(self, customers: DataFrame) -> Series:
        """Integer keys on the same index: total (everyone gets one) and deterministic."""
        ...


class Adjustable:
    """What has settings: a frozen dataclass whose fields are made by :func:`knob`. The instance is its settings."""

    title: ClassVar[str]
    summary: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for item in self.knobs():
            object.__setattr__(self, item.name, item.check(getattr(self, item.name), self.title))

    @classmethod
    def knobs(cls) -> tuple[Knob, ...]:
        """The settings, in the order of its fields."""
        if not dataclasses.is_dataclass(cls):
            return ()
        fields = dataclasses.fields(cls)
        return tuple(dataclasses.replace(f.metadata["knob"], name=f.name) for f in fields if "knob" in f.metadata)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The value with these settings; what is not named keeps its default.

        Raises:
            InputError: a setting that there is not, or a value it does not allow.
        """
        names = [item.name for item in cls.knobs()]
        for name in settings:
            if name not in names:
                raise InputError(
                    "{title} has no setting {name!r}; it has {names}.",
                    title=cls.title,
                    name=name,
                    names=", ".join(names) or "none",
                )
        return cls(**settings)

    def settings(self) -> dict[str, Any]:
        """The settings as JSON-ready values, so that ``from_settings`` makes an equal value."""
        values = {item.name: getattr(self, item.name) for item in self.knobs()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


class Engine(Adjustable, ABC):
    """A way to group customers. Subclasses are frozen dataclasses whose fields are made by :func:`knob`."""

    needs: ClassVar[tuple[str, ...]] = (RECENCY, FREQUENCY, MONETARY)
    fit_limit: ClassVar[int] = 1_000_000  # above: fit on a seeded sample, assign everyone
    refit_limit: ClassVar[int] = 20_000  # customers in each of the many refits that measure stability

    @abstractmethod
    def fit(self, customers: DataFrame) -> Fitted:
        """Learn segments from customers (one row each, indexed by customer id, sorted by it).

        Raises:
            InputError: the table cannot be segmented so; the message names the column or setting and the remedy.
        """

    def refit(self, customers: DataFrame, start: Fitted) -> Fitted:
        """Learn segments anew, beginning with those of an earlier fit, whose keys stay with their segments.

        An engine that searches from a start overrides it: from a random one it may end at another grouping that is
        about as good, and two fits would differ though no customer has changed. Others fit as ever.

        Args:
            customers: as for :meth:`fit`.
            start: what this engine, with these settings, made of other customers.

        Raises:
            InputError: as ``fit`` does.
        """
        return self.fit(customers)

    def fit_each(self, customers: DataFrame, ks: Iterable[int]) -> Iterator[Fitted]:
        """This engine fitted with each k in turn; for engines that have a ``k``.

        An engine whose fits can share work overrides it; each must equal ``fit`` with that k.

        Raises:
            InputError: as ``fit`` does, when the turn comes to a k that the table does not allow.
        """
        for k in ks:
            yield type(self).from_settings({**self.settings(), "k": k}).fit(customers)

    def require(self, customers: DataFrame, columns: tuple[str, ...] | None = None) -> None:
        """Refuse a table that lacks a column this engine needs.

        Raises:
            InputError: names the engine, what it needs and what is missing.
        """
        needed = self.needs if columns is None else columns
        missing = [name for name in needed if name not in customers.columns]
        if missing:
            raise InputError(
                "{title} needs {needed}; this table has no {missing}. Map the columns they are made from "
                "with --map FIELD=COLUMN.",
                title=self.title,
                needed=", ".join(needed),
                missing=", ".join(missing),
            )


@dataclass(frozen=True)
class Facts:
    """Plain facts about the customers of a segment: means in the columns' own units, each beside that of all customers.

    ``repeat_share``: share of customers with more than one order. ``tenure`` is None where the table does not have it.
    ``spend_rank``: 1 where no segment on the same side of recency spends more on average; the sides are segments whose
    customers came at least as recently as all customers on average, and the others.
    """

    repeat_share: float
    repeat_share_of_all: float
    recency: float
    recency_of_all: float
    frequency: float
    frequency_of_all: float
    spend: float
    spend_of_all: float
    spend_rank: int
    tenure: float | None = None
    tenure_of_all: float | None = None

    def of(self, fact: str) -> float | None:
        """A fact as conditions have it; None where it is not known.

        ``repeat_share`` and ``spend_rank`` are as they are, means are multiples of everyone's. Where everyone's is 0,
        so is the segment's: that is 1.
        """
        value: float | None = getattr(self, fact)
        if fact in ("repeat_share", "spend_rank") or value is None:
            return value
        everyone = getattr(self, f"{fact}_of_all")
        return value / everyone if everyone > 0 else 1.0


@dataclass(frozen=True)
class Conditions:
    """What must be true of a segment's customers for a name of the playbook; what is None is not asked for.

    ``repeat_share`` is a share of customers, recency, tenure, frequency and spend are multiples of the mean of all
    customers, ``spend_rank`` is as in :class:`Facts`.
    """

    min_repeat_share: float | None = None
    max_repeat_share: float | None = None
    min_recency: float | None = None
    max_recency: float | None = None
    min_tenure: float | None = None
    max_tenure: float | None = None
    min_frequency: float | None = None
    max_frequency: float | None = None
    min_spend: float | None = None
    max_spend: float | None = None
    max_spend_rank: int | None = None

    def asked(self) -> list[tuple[str, str, float]]:
        """The conditions as (``min`` or ``max``, fact, limit), in the order of the fields."""
        limits = [(item.name.partition("_"), getattr(self, item.name)) for item in dataclasses.fields(self)]
        return [(end, fact, limit) for (end, _, fact), limit in limits if limit is not None]

    def failed(self, facts: Facts, *, ranked: bool = False) -> list[tuple[str, str, float]]:
        """Those of :meth:`asked` that are not true; one on a fact that is not known is not.

        ``ranked``: whether the rank counts as well. It says which of several segments a name is for, not whether it is
        true of a segment's own customers.
        """
        failed = []
        for end, fact, limit in self.asked():
            if fact == "spend_rank" and not ranked:
                continue
            value = facts.of(fact)
            # a hair's breadth for the last digits of a mean
            if value is None or (value < limit - 1e-9 if end == "min" else value > limit + 1e-9):
                failed.append((end, fact, limit))
        return failed


@dataclass(frozen=True)
class Play:
    """One entry of the playbook: a segment's name, what it means, what to do about it, and its colour for ever.

    ``spare``: given only where the names that are not spare are taken or say much less well what the segment is.
    ``when``: what must be true of the customers for the name to be given, and for meaning and action to be shown; the
    rank in it is asked only where names are given by likeness, for the borders of a rule are its own. ``key``: what
    segments of this name are known by for ever; empty: the name itself. A play that gets another name keeps its
    history where its old name is given as its key.
    """

    name: str
    description: str
    action: str
    priority: int
    colour: str
    spare: bool = False
    when: Conditions = Conditions()
    key: str = ""

    @property
    def identity(self) -> str:
        """What segments of this name are known by, whatever they are called."""
        return self.key or self.name

    def holds(self, facts: Facts | None) -> bool:
        """Whether name, meaning and action are true of customers; of those of earlier versions nothing is known."""
        return facts is None or not self.when.failed(facts)


@dataclass(frozen=True)
class NamedSegment:
    """A segment of a run as people see it; means are over its customers, shares are of all customers' revenue.

    ``pinned``: name and action stay with these customers in the runs to come, whatever their profile. ``revision``: how
    often people have changed it by hand. ``facts``: what conditions of the playbook are checked on; None in runs of
    earlier versions, and of segments without customers. ``action`` is empty where the playbook's would not be true.

    ``identity`` is what it is known by in addresses, audiences and from date to date, while ``name`` is what people
    read: that of the playbook's entry, the name that an engine gives, or one of its own that it was given when it first
    appeared and that follows its customers. Empty until the store has given it one. ``own_name`` is what its run calls
    it, empty where that is ``name``; ``former``: what else it was known by. ``merged``: keys of segments of its run
    that people treat as one with it, ``merged_names`` what those are called.
    """

    key: int
    name: str
    action: str
    colour: str
    customers: int
    revenue_share: float
    recency: float
    frequency: float
    monetary: float
    clv: float | None
    pinned: bool = False
    revision: int = 0
    facts: Facts | None = None
    identity: str = ""
    own_name: str = ""
    former: tuple[str, ...] = ()
    merged: tuple[int, ...] = ()
    merged_names: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[int, ...]:
        """The keys of all its customers' labels."""
        return (self.key, *self.merged)

    @property
    def known_by(self) -> str:
        """Its identity, and its name where it has none yet."""
        return self.identity or self.name


def segment_by_key(segments: Iterable[NamedSegment]) -> dict[int, NamedSegment]:
    """The segment that a label belongs to, by the label's key."""
    return {key: item for item in segments for key in item.keys}


def segments_meant(segments: Sequence[NamedSegment], wanted: Sequence[str]) -> list[bool]:
    """Which segments are meant by texts of addresses, audiences and files, one answer for each segment.

    A text means the segment with this identity; where there is none, that with this name now; else with this name of
    its run's own, or one that it was called by before.
    """
    meant = [False] * len(segments)
    for text in wanted:
        for names in (
            [(item.known_by,) for item in segments],
            [(item.name,) for item in segments],
            [(item.own_name, *item.former) for item in segments],
        ):
            found = [place for place, each in enumerate(names) if text in each]
            if found:
                for place in found:
                    meant[place] = True
                break
    return meant


@dataclass(frozen=True)
class Predecessor:
    """What a run is aligned to: the labels (segment keys by customer id) and segments of an earlier run."""

    labels: Series
    segments: tuple[NamedSegment, ...]


@dataclass(frozen=True)
class Segmentation:
    """The outcome of one engine on one customer table.

    ``labels``: segment keys (int64) indexed by customer id, in the order of the customer table.
    ``metrics``: by name; None where a metric cannot be had (one segment has no silhouette).
    ``fitted_on``: how many customers the model was fitted on; everyone is labelled all the same.
    """

    engine: str
    settings: Mapping[str, Any]
    labels: Series
    segments: tuple[NamedSegment, ...]
    metrics: Mapping[str, float | None]
    fitted: Fitted
    fitted_on: int
    notes: tuple[str, ...] = ()
