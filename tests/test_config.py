import re
import tomllib
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from dashboard.config import Config, load_config, shipped
from engines.contract import Conditions
from engines.errors import InputError
from engines.settings import CleaningRules, Reading


def test_defaults_are_config_toml():
    values = tomllib.loads(shipped("config.toml").read_text(encoding="utf-8"))
    config = load_config(environ={})
    assert config.model_dump() == Config.model_validate(values).model_dump()
    assert (config.reading, config.cleaning) == (Reading(), CleaningRules())
    assert config.database.url == "sqlite:///segmentry.db"
    assert config.clv.horizon_weeks == 26


def test_settings_of_cleaning_survive_a_change_of_others():
    config = load_config(environ={"SEGMENTRY_CLEANING_TEST_ORDERS": '["X*"]'})
    assert config.cleaning == CleaningRules(test_orders=("X*",))
    assert config.replace(cleaning={"outlier_z": 3.0}).cleaning == CleaningRules(test_orders=("X*",), outlier_z=3.0)
    assert CleaningRules.from_dict(config.cleaning.to_dict()) == config.cleaning


def test_every_key_has_a_comment():
    lines = shipped("config.toml").read_text(encoding="utf-8").split("[[playbook]]")[0].splitlines()
    section = ""
    for before, line in pairwise(lines):
        section = line if line.startswith("[") else section
        if re.match(r"\w+ =", line) and section != "[categories]":  # whose keys are the user's own
            assert before.startswith("#"), f"no comment above {line!r}"


def test_the_vocabulary_decides_which_playbook_names_segments(tmp_path):
    config = load_config(environ={})
    assert config.naming.vocabulary == "classic"
    assert [play.name for play in config.plays][:2] == ["Champions", "Loyal Customers"]
    assert not any(play.spare for play in config.plays)
    plain = load_config(environ={"SEGMENTRY_NAMING_VOCABULARY": "plain"})
    assert {"VIP", "Recent", "Loyal", "Dormant"} == {play.name for play in plain.plays if not play.spare} - {"Outliers"}
    file = tmp_path / "mine.toml"
    one = '[[playbook_plain]]\nname = "Gold"\ndescription = ""\naction = "Call."\npriority = 1\ncolour = "#123456"\n'
    file.write_text(one + '[naming]\nvocabulary = "plain"\n', encoding="utf-8")
    assert [(play.name, play.colour) for play in load_config(file, {}).plays] == [("Gold", "#123456")]
    for text, named in (('[naming]\nvocabulary = "latin"\n', "naming.vocabulary"), (one + one, "same name")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=named):
            load_config(file, {})


def test_a_file_changes_only_what_it_names(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[clv]\nhorizon_weeks = 52\n[mapping]\ncustomer_id = "Kunde"\n', encoding="utf-8")
    config = load_config(file, {})
    assert config.clv.horizon_weeks == 52
    assert config.clv.discount_rate == 0.10
    assert config.mapping == {"customer_id": "Kunde"}


def test_the_environment_comes_last(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[clv]\nhorizon_weeks = 52\n", encoding="utf-8")
    environ = {
        "SEGMENTRY_CLV_HORIZON_WEEKS": "13",
        "SEGMENTRY_CLEANING_DROP_EXACT_DUPLICATES": "true",
        "SEGMENTRY_ENGINES_USE": '["rfm"]',
        "SEGMENTRY_WORKER_LEASE_SECONDS": "5",
        "DATABASE_URL": "sqlite:///elsewhere.db",
        "PORT": "9000",
        "SEGMENTRY_PASSWORD": "never a setting",
    }
    config = load_config(file, environ)
    assert config.clv.horizon_weeks == 13
    assert config.cleaning.drop_exact_duplicates is True
    assert config.engines.use == ["rfm"]
    assert config.worker.lease_seconds == 5.0
    assert config.database.url == "sqlite:///elsewhere.db"
    assert config.server.port == 9000
    assert "never a setting" not in repr(config)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[clv]\nhorizon = 3\n", "horizon"),
        ("[klv]\nhorizon_weeks = 3\n", "klv"),
        ('[clv]\nhorizon_weeks = "long"\n', "clv.horizon_weeks"),
        ("[clv]\nhorizon_weeks = 0\n", "clv.horizon_weeks"),
        ('[mapping]\nkunde = "x"\n', "kunde"),
        ("clv = 3\n", "clv"),
        ("[clv\n", "mine.toml"),
        ("[engines]\nuse = []\n", "engines.use"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, named):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(named)):
        load_config(file, {})


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SEGMENTRY_CLV_HORIZON": "3"}, "SEGMENTRY_CLV_HORIZON"),
        ({"SEGMENTRY_NOWHERE_X": "3"}, "SEGMENTRY_NOWHERE_X"),
        ({"SEGMENTRY_CLV_HORIZON_WEEKS": "long"}, "SEGMENTRY_CLV_HORIZON_WEEKS"),
        ({"PORT": "http"}, "PORT"),
    ],
)
def test_a_wrong_variable_is_named(environ, named):
    with pytest.raises(InputError, match=named):
        load_config(environ=environ)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_config(tmp_path / "none.toml", {})


ENTRY = '[[playbook]]\nname = "{name}"\ndescription = ""\naction = "Call."\npriority = 1\ncolour = "#123456"\n'


def test_a_name_of_ones_own_takes_the_conditions_of_the_name_that_it_means(tmp_path):
    champions = next(play.when for play in load_config(environ={}).plays if play.name == "Champions")
    assert champions.max_recency == 1.0 and champions.max_spend_rank == 1
    file = tmp_path / "mine.toml"
    cases = {
        ENTRY.format(name="VIPs"): champions,
        ENTRY.format(name="Gold"): Conditions(),
        ENTRY.format(name="VIPs") + "when = {}\n": Conditions(),
        ENTRY.format(name="VIPs") + "when = { min_tenure = 2.0 }\n": Conditions(min_tenure=2.0),
    }
    for text, expected in cases.items():
        file.write_text(text, encoding="utf-8")
        assert [play.when for play in load_config(file, {}).plays] == [expected], text


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{ max_age = 2.0 }", "playbook.0.when.max_age"),
        ("{ min_repeat_share = 50.0 }", "playbook.0.when.min_repeat_share"),
        ("{ max_spend_rank = 0 }", "playbook.0.when.max_spend_rank"),
        ("{ min_recency = 2.0, max_recency = 1.0 }", "min_recency is above max_recency"),
    ],
)
def test_conditions_of_a_name_are_checked(tmp_path, when, message):
    file = tmp_path / "mine.toml"
    file.write_text(ENTRY.format(name="Gold") + f"when = {when}\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_config(file, {})


def test_every_condition_is_documented():
    documented = (Path(__file__).parent.parent / "docs" / "names.md").read_text(encoding="utf-8")
    for field in fields(Conditions):
        assert f"`{field.name}`" in documented, field.name
