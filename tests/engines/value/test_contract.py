"""Every registered value model keeps every promise, and the contract notices one that does not."""

from dataclasses import dataclass

import pytest

from engines.value.contract import ValueModel
from engines.value.lifetime.models import BGNBDModel
from engines.value.registry import registered_models
from engines.value.testing import ValueModelContract

INSTALLED = [entry for entry in registered_models() if entry.kind is not None]
CHECKS = sorted(name for name in vars(ValueModelContract) if name.startswith("test_"))


@pytest.fixture(scope="module")
def subject():
    """One contract for all, so that its shop is made once."""
    return ValueModelContract()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: entry.name)
def test_contract(subject, entry, check):
    subject.model = entry.kind()
    getattr(subject, check)()


def test_ours_are_among_those_checked():
    assert [entry.name for entry in INSTALLED][:3] == ["bg_nbd", "mbg_nbd", "pareto_nbd"]


# --- the contract can fail: models that break one promise each -------------------------------------------------------


@dataclass(frozen=True)
class Altered(BGNBDModel):
    """Answers of BG/NBD, spoilt by ``spoil``."""

    title = "Altered"

    def fit(self, customers, past):
        fitted, spoil = super().fit(customers, past), self.spoil

        class Spoilt:
            parameters = fitted.parameters

            def predict(self, customers, weeks):
                return spoil(fitted.predict(customers, weeks), customers, weeks)

        return Spoilt()


class ByPosition(Altered):
    def spoil(self, found, customers, weeks):
        return found.assign(expected_purchases=[float(row) for row in range(len(found))])


class Negative(Altered):
    def spoil(self, found, customers, weeks):
        return found - 1.0


class Unsure(Altered):
    def spoil(self, found, customers, weeks):
        return found.where(found > found.median())


class Shrinking(Altered):
    def spoil(self, found, customers, weeks):
        return found / weeks**2


class Writing(Altered):
    def spoil(self, found, customers, weeks):
        customers["monetary"] = 0.0
        return found


class Unchecked(Altered):
    def fit(self, customers, past):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("model", "check", "error"),
    [
        (ByPosition(), "test_a_customer_alone_is_told_what_it_is_in_the_crowd", AssertionError),
        (ByPosition(), "test_order_of_rows_does_not_matter", AssertionError),
        (Negative(), "test_answers_everyone", AssertionError),
        (Unsure(), "test_answers_everyone", AssertionError),
        (Shrinking(), "test_longer_is_never_less", AssertionError),
        (Writing(), "test_does_not_change_what_it_is_given", AssertionError),
        (Unchecked(), "test_nobody", ZeroDivisionError),
        (Unchecked(), "test_too_few", ZeroDivisionError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ValueModel) else "",
)
def test_the_contract_notices_a_broken_promise(subject, model, check, error):
    subject.model = model
    with pytest.raises(error):
        getattr(subject, check)()
