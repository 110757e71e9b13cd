"""The vocabulary and the sentences as the command line shows them."""

import json
from datetime import UTC, datetime

import pytest

from storage import open_store


def run(segmentry, *words, **environ):
    return json.loads(segmentry("run", "cdnow-sample", "--as-of", "1997-04-10", *words, "--json", **environ).stdout)[
        "runs"
    ][0]


def test_what_stands_out_is_printed_and_in_the_json(segmentry):
    found = run(segmentry, "--engine", "rfm")
    told = {item["kind"]: item for item in found["insights"]}
    assert {"most_revenue", "concentration", "one_order"} <= set(told)
    top = max(found["segments"], key=lambda item: item["revenue_share"])
    values = told["most_revenue"]["values"]
    assert (values["segment"], values["customers"]) == (top["name"], top["customers"])
    assert values["revenue_share"] == pytest.approx(top["revenue_share"])
    printed = segmentry("run", "cdnow-sample", "--as-of", "1997-04-10", "--engine", "rfm").stdout
    assert f"{top['name']} brought the most revenue: $" in printed


@pytest.mark.slow
def test_plain_words_follow_every_engine_and_pins_stay(segmentry, tmp_path):
    plain = {"SEGMENTRY_NAMING_VOCABULARY": "plain"}
    rfm = run(segmentry, "--engine", "rfm", **plain)
    assert {"VIP", "Loyal", "Dormant"} <= {item["name"] for item in rfm["segments"]}
    first = run(segmentry, "--engine", "kmeans", **plain)
    key, name = first["segments"][0]["key"], first["segments"][0]["name"]
    assert name == "VIP"
    store = open_store(f"sqlite:///{tmp_path / 'segmentry.db'}", clock=lambda: datetime.now(UTC))
    store.edit_segment(first["id"], key, revision=0, name="Darlings", pinned=True)
    store.close()
    # in other words, from another seed: what was pinned stays, the rest is translated
    second = run(segmentry, "--engine", "kmeans", "--seed", 5)
    names = {item["name"] for item in second["segments"]}
    assert "Darlings" in names
    assert not names & {"VIP", "Recent", "Loyal", "Dormant", "Cooling off"}
    assert json.loads(segmentry("runs", "--json").stdout)[0]["segments"] == second["segments"]
