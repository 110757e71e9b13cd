"""``segmentry evaluate`` as a user calls it: JSON, a table, and one sentence where it cannot be done."""

import json

import pytest

from tests.dashboard.calling import SHOP, stored


def test_json_is_the_whole_answer_and_nothing_is_stored(segmentry, tmp_path):
    done = segmentry("evaluate", "cdnow-sample", "--k-min", "2", "--k-max", "5", "--seed", "42", "--json")
    found = json.loads(done.stdout, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    assert (found["name"], found["as_of"], found["engine"]) == ("CDNOW 1/10 sample", "1998-07-01", "kmeans")
    assert (found["customers"], found["recommended"], found["seed"]) == (2357, 3, 42)
    assert "brought in 66.3 % of later revenue" in found["reason"]
    assert [other["k"] for other in found["runners_up"]] == [5, 4, 2]
    silhouettes = [point["silhouette"] for point in found["points"]]
    # eight customers with nothing but free goods more than in the published figures
    assert silhouettes == pytest.approx([0.579, 0.491, 0.414, 0.419], abs=0.005)
    assert "Trying k = 2 to 5" in done.stderr
    assert stored(tmp_path) == 0


@pytest.mark.slow
def test_the_table_marks_the_choice_and_gives_the_reason(segmentry):
    words = ["--engine", "gmm", "--from", "3", "--to", "4", "--gap", "--as-of", "1997-06-01", "--name", "Mine"]
    done = segmentry("evaluate", "cdnow-sample", *words)
    assert "Mine as of 1997-06-01" in done.stdout
    assert "→ " in done.stdout
    assert all(title in done.stdout for title in ("Silhouette", "Stability", "BIC"))
    assert "Gap" not in done.stdout
    assert "Note: The gap statistic is no longer computed" in done.stderr
    assert "Inertia" not in done.stdout  # a mixture has none
    reason, runners_up = done.stdout.split("┘")[-1].split("Runners-up:")
    assert "k = " in reason and "k = " in runners_up


def test_a_mapping_is_heeded(segmentry, tmp_path):
    (tmp_path / "shop.csv").write_text(SHOP.replace("CustomerID", "Who"), encoding="utf-8")
    assert "customer_id" in segmentry("evaluate", "shop.csv", code=2).stderr
    found = segmentry("evaluate", "shop.csv", "--map", "customer_id=Who", "--to", "3", "--json")
    assert json.loads(found.stdout)["customers"] == 4


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nowhere.csv"], "nowhere.csv"),
        (["cdnow-sample", "--engine", "magic"], "magic"),
        (["cdnow-sample", "--engine", "rfm"], "no k to choose"),
        (["cdnow-sample", "--from", "5", "--to", "4"], "from 5 to 4"),
        (["cdnow-sample", "--to", "99"], "k = 99"),
        (["cdnow-sample", "--from", "1"], "--from"),
        (["cdnow-sample", "--map", "land=Country"], "land"),
    ],
)
def test_bad_input_is_one_sentence(segmentry, words, named):
    done = segmentry("evaluate", *words, code=2)
    assert done.stdout == ""
    assert named in done.stderr
