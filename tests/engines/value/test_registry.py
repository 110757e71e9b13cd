"""Value models come in by one door: ours, strangers', and broken ones without harm."""

from importlib.metadata import EntryPoint

import pytest

from engines.errors import InputError
from engines.value.lifetime.models import BGNBDModel
from engines.value.registry import VALUE_MODELS, registered_models, value_model


def point(name, value):
    return EntryPoint(name, value, VALUE_MODELS.group)


def test_ours_come_first_and_say_what_they_answer():
    for entry in registered_models()[:3]:
        assert entry.error is None
        assert entry.origin.startswith("segmentry ")
        assert entry.title and entry.summary and entry.details["answers"]


def test_a_name_makes_a_model():
    assert value_model("bg_nbd") == BGNBDModel()
    with pytest.raises(InputError, match=r"no value model 'crystal_ball'.*bg_nbd, mbg_nbd, pareto_nbd"):
        value_model("crystal_ball")
    with pytest.raises(InputError, match="no setting 'luck'"):
        value_model("bg_nbd", {"luck": 1})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nowhere_to_be_found:Model", "ModuleNotFoundError"),
        ("engines.value.lifetime.models:Missing", "AttributeError"),
        ("engines.value.contract:ValueModel", "has no fit"),
        ("engines.value.lifetime.models:fit_lifetime_and_value", "is not a class"),
        ("engines.kmeans:KMeans", "is not an engines.value.contract.ValueModel"),
        ("engines.value.lifetime.models:LifetimeValueModel", "has no title"),
    ],
)
def test_a_broken_plug_in_is_listed_with_its_error_beside_the_others(value, reason):
    entries = {
        item.name: item
        for item in registered_models(
            [point("broken", value), point("fine", "engines.value.lifetime.models:BGNBDModel")]
        )
    }
    assert entries["broken"].kind is None
    assert reason in entries["broken"].error
    assert entries["fine"].kind is BGNBDModel


def test_a_name_taken_twice_goes_to_the_first():
    first, second = registered_models(
        [
            point("bg", "engines.value.lifetime.models:BGNBDModel"),
            point("bg", "engines.value.lifetime.models:MBGNBDModel"),
        ]
    )
    assert first.kind is BGNBDModel
    assert "already taken" in second.error
