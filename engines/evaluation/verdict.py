"""Recommendation among several runs on the same customers, with its reasons, or that it makes no difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engines.messages import Message, joined, message, noted

#: Two runs whose scores differ by less than this are level.
LEVEL = 0.02
#: A criterion on which two runs differ by less than this is no reason for either.
TELLING = 0.03
#: Below this, other customers of the same kind would have given other segments.
SHAKY = 0.6
#: A segment smaller than this share of customers is hardly worth a campaign.
TINY = 0.005


@dataclass(frozen=True)
class Criterion:
    """What runs are judged by. ``weight``: its part of the score, where every run has a figure for it."""

    name: str
    title: Message
    weight: float
    meaning: Message


CRITERIA = (
    Criterion(
        "stability",
        message("stability"),
        0.3,
        message("the same customers stay together when others are drawn"),
    ),
    Criterion(
        "captured",
        message("later revenue captured"),
        0.3,
        message("the share of later revenue that the top fifth brought in"),
    ),
    Criterion("separation", message("separation"), 0.2, message("how far it explains recency, frequency and spend")),
    Criterion("balance", message("balance of sizes"), 0.1, message("how even its segments are")),
    Criterion(
        "agreement",
        message("agreement with the others"),
        0.1,
        message("its mean adjusted Rand index with the other runs"),
    ),
)


@dataclass(frozen=True)
class Candidate:
    """One run: what it is called, its figures by criterion (0 to 1, None where there is none), its smallest segment."""

    name: str
    figures: Mapping[str, float | None]
    smallest_share: float | None = None


@dataclass(frozen=True)
class Sorting:
    """Customers simply sorted by a column, with no segments: ``captured`` of later revenue by the top fifth of them."""

    column: str
    title: Message
    captured: float


@dataclass(frozen=True)
class Verdict:
    """What is recommended.

    ``best``: places of the best candidates; several where they are level, none where nothing could be judged.
    ``headline``: one sentence. ``reasons``: for the best, ``against``: what speaks for others, ``cautions``: what to
    know of the best. ``considered``: titles of the criteria with their weights, which sum up to 1. ``missing``: what
    could not be judged by, and why. ``scores``: of the candidates, in their order. ``plain_sorting``: whether segments
    find later revenue better than plain sorting does; empty where that is not known.
    """

    best: tuple[int, ...]
    headline: str
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    cautions: tuple[str, ...]
    considered: Mapping[str, float]
    missing: tuple[str, ...]
    scores: tuple[float, ...]
    plain_sorting: str = ""

    @property
    def draw(self) -> bool:
        """Whether several are level."""
        return len(self.best) > 1


def weigh_candidates(candidates: Sequence[Candidate], sortings: Sequence[Sorting] = ()) -> Verdict:
    """Weigh candidates by all criteria that every one of them has a figure for.

    The score is the weighted mean of these figures. Candidates within 0.02 of the best score are level: then it is a
    draw, and no figure is made to decide it. A silhouette is no criterion, as it is a distance in each engine's own
    feature space; with two candidates agreement is none either, as it is the same for both.

    Args:
        candidates: at least two.
        sortings: what plain sorting captured of the same later revenue. It is no candidate, as it makes no segments,
            but it is said where no candidate captures more.

    Raises:
        ValueError: fewer than two candidates.
    """
    if len(candidates) < 2:
        raise ValueError("a verdict needs two candidates")
    judged, missing = [], []
    for criterion in CRITERIA:
        if criterion.name == "agreement" and len(candidates) == 2:
            continue
        without = [one.name for one in candidates if one.figures.get(criterion.name) is None]
        if without:
            if len(without) == len(candidates):
                missing.append(message("Not weighed, as no run has it: {title}.", title=criterion.title))
            else:
                words = noted("Not weighed, as not every run has it: {title} ({names}).")
                missing.append(message(words, title=criterion.title, names=", ".join(without)))
        else:
            judged.append(criterion)
    if not judged:
        nothing = message("There is no recommendation: no figure is known for all of these runs.")
        return Verdict((), nothing, (), (), (), {}, tuple(missing), (), _against_sorting(candidates, sortings))
    total = sum(criterion.weight for criterion in judged)
    weights: dict[str, float] = {criterion.title: criterion.weight / total for criterion in judged}
    scores = tuple(sum(weights[c.title] * _figure(one, c) for c in judged) for one in candidates)
    order = sorted(range(len(candidates)), key=lambda place: (-scores[place], place))
    best = tuple(sorted(place for place in order if scores[order[0]] - scores[place] < LEVEL))
    rest = [place for place in order if place not in best]
    if len(best) > 1:
        names = ", ".join(candidates[place].name for place in best)
        headline = message(
            "It is a draw ({names}): their scores differ by less than {level:g}. Keep the "
            "published one, or take the one whose segments are easier to explain.",
            names=names,
            level=LEVEL,
        )
        reasons = tuple(_parted(candidates, judged, best)) or (message("No single figure tells them apart either."),)
        against: tuple[str, ...] = ()
    else:
        first, second = candidates[order[0]], candidates[order[1]]
        headline = message(
            "{first} is the one to work with: it scores {score:.2f}, the next, {second}, {second_score:.2f}.",
            first=first.name,
            score=scores[order[0]],
            second=second.name,
            second_score=scores[order[1]],
        )
        reasons, against = _for_and_against(candidates, judged, order[0], rest)
    cautions = [text for place in best for text in _cautions(candidates[place])]
    plain = _against_sorting(candidates, sortings)
    return Verdict(best, headline, reasons, against, tuple(cautions), weights, tuple(missing), scores, plain)


def _against_sorting(candidates: Sequence[Candidate], sortings: Sequence[Sorting]) -> str:
    """Whether the best candidate captures more of later revenue than plain sorting, and what follows if none does."""
    captured = [(value, one.name) for one in candidates if (value := one.figures.get("captured")) is not None]
    if not captured or not sortings:
        return ""
    most, name = max(captured, key=lambda pair: pair[0])
    ahead = [sorting for sorting in sortings if sorting.captured >= most]
    shown = ahead or sortings
    listed = joined((message("{title} {share:.1f} %", title=s.title, share=100 * s.captured) for s in shown), ", ")
    if ahead:
        return message(
            "No engine beats plain sorting at finding later revenue. Brought in by the top fifth: {sortings}; by the "
            "best engine, {name}, {share:.1f} %. To pick who will spend most, sort customers; use segments to decide "
            "what to say to whom.",
            sortings=listed,
            name=name,
            share=100 * most,
        )
    return message(
        "{name} finds more of later revenue ({share:.1f} % by its top fifth) than plain sorting ({sortings}).",
        name=name,
        share=100 * most,
        sortings=listed,
    )


def _figure(candidate: Candidate, criterion: Criterion) -> float:
    value = candidate.figures[criterion.name]
    assert value is not None
    return min(max(value, 0.0), 1.0)


def _for_and_against(
    candidates: Sequence[Candidate], judged: Sequence[Criterion], best: int, rest: Sequence[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    reasons: list[str] = []
    against: list[str] = []
    for criterion in judged:
        mine = _figure(candidates[best], criterion)
        rival = max(rest, key=lambda place: _figure(candidates[place], criterion))
        theirs = _figure(candidates[rival], criterion)
        if mine - theirs >= TELLING:
            words = noted("Best in {title} ({mine:.2f} against {theirs:.2f} of {name}; {meaning}).")
        elif theirs - mine >= TELLING:
            words = noted("Behind in {title} ({mine:.2f} against {theirs:.2f} of {name}; {meaning}).")
        else:
            words = noted("As good as any in {title} ({mine:.2f} against {theirs:.2f} of {name}; {meaning}).")
        (against if theirs - mine >= TELLING else reasons).append(
            message(
                words,
                title=criterion.title,
                mine=mine,
                theirs=theirs,
                name=candidates[rival].name,
                meaning=criterion.meaning,
            )
        )
    return tuple(reasons), tuple(against)


def _parted(candidates: Sequence[Candidate], judged: Sequence[Criterion], best: Sequence[int]) -> Iterator[str]:
    """What tells those apart that are level: what each is better in."""
    for criterion in judged:
        high = max(best, key=lambda place: _figure(candidates[place], criterion))
        low = min(best, key=lambda place: _figure(candidates[place], criterion))
        most, least = _figure(candidates[high], criterion), _figure(candidates[low], criterion)
        if most - least >= TELLING:
            yield message(
                "{name} is better in {title} ({most:.2f} against {least:.2f} of {other}; {meaning}).",
                name=candidates[high].name,
                title=criterion.title,
                most=most,
                least=least,
                other=candidates[low].name,
                meaning=criterion.meaning,
            )


def _cautions(candidate: Candidate) -> Iterator[Message]:
    stability = candidate.figures.get("stability")
    if stability is not None and stability < SHAKY:
        yield message(
            "{name} is shaky (stability {stability:.2f}): with other customers of the same kind, "
            "many would stand in another segment.",
            name=candidate.name,
            stability=stability,
        )
    if candidate.smallest_share is not None and candidate.smallest_share < TINY:
        share = 100 * candidate.smallest_share
        yield message(
            "The smallest segment of {name} holds only {share:.2f} % of the customers.",
            name=candidate.name,
            share=share,
        )
