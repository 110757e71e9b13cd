"""In a made-up language that marks every sentence it knows, all that pages say is marked: a translation is one file."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from dash._utils import to_json
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.components.ledger import ledger_table
from dashboard.frames.cache import FrameCache
from dashboard.i18n import texts
from dashboard.i18n.locales import speaking
from dashboard.i18n.texts import say
from dashboard.layout.shell import create_shell
from dashboard.pages import PAGES
from dashboard.services import Services
from engines.contract import AgeAgreement, DriftPoint
from engines.evaluation.model_age import refresh_interval
from engines.evaluation.recommendation import KPoint, recommend
from engines.evaluation.verdict import Candidate, weigh_candidates
from engines.intake import NOTES, RULES
from engines.registry import registered
from engines.value.validation.verdicts import judge_model
from storage.contract.uploads import NewUpload
from tests.dashboard import shop
from tests.dashboard.answering import answering
from tests.dashboard.headless import Visit, read
from tests.dashboard.uploading import export

#: What stands in no language: names of engines, models, formats, measures and libraries, and choices of settings.
OF_NO_LANGUAGE = {
    *("Segmentry", "RFM", "CLV", "BG", "MBG", "NBD", "Pareto", "Gamma", "GBP", "JPY", "UTC", "MB", "kB", "KB", "Mio"),
    *("PNG", "SVG", "CSV", "XLSX", "PARQUET", "Excel", "Parquet", "xlsx", "parquet", "csv", "zip"),
    *("RMSE", "MSLE", "MAE", "ROC", "PR", "AUC", "PSI", "ARI", "BIC", "AIC", "bic", "aic"),
    *("segmentry", "numpy", "pandas", "lifetimes", "scikit", "learn", "scipy", "run", "SALES", "engine"),
    *(
        "log1p",
        "standard",
        "none",
        "ten",
        "eleven",
        "recency_days",
        "frequency",
        "monetary",
        "kmeans",
        "hierarchical",
        "bg_nbd",
    ),
}
#: Engines, the longest title first; and the shop's own: countries, data sets, files, customers, names given by hand.
NAMES = (
    *sorted((engine.title for engine in registered()), key=len, reverse=True),
    *(
        "Gradient boosting",
        "shop.csv",
        "toys.csv",
        "sales.csv",
        "'Date'",
        "by hand",
    ),
    *(*shop.COUNTRIES, "Shop", "Toys", "shop", "toys", "=1+1", "@home", "it did not work out. Try another k."),
)
#: A day or a month, which Babel writes.
A_DAY = re.compile(r"(\d+\. )?[A-Z][a-zä]+\.? \d{4}")


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    """A folder with a translation of everything: each sentence in ⟦ ⟧."""
    with texts.TEMPLATE.open("rb") as file:
        catalogue = read_po(file, locale="de")
    for message in catalogue:
        if message.id:
            several = isinstance(message.id, tuple)
            message.string = tuple(f"⟦{each}⟧" for each in message.id) if several else f"⟦{message.id}⟧"
    folder = tmp_path_factory.mktemp("pseudo")
    with (folder / "de.po").open("wb") as file:
        write_po(file, catalogue)
    kept, texts.FOLDER = texts.FOLDER, folder
    yield
    texts.FOLDER = kept


@pytest.fixture(scope="module")
def desk(pseudo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("translated")
    settings = shop.config(folder).replace(locale={"language": "de_DE"}, uploads={"folder": str(folder)})
    store = shop.opened(settings)
    ids = shop.fill(store, settings)
    services = Services(settings, store, FrameCache(store))
    yield create_shell(services).server.test_client(), ids, services
    store.close()


def bare(text):
    """What is left of a text without what is marked, and without what Plotly fills in."""
    before = None
    while text != before:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    return re.sub(r"%\{[^}]*\}|</?\w+[^>]*>|https?://\S+", " ", text)


def english(parts):
    """The texts of a page that are not translated, with where they stand."""
    found = set()
    for name, part in parts.items():
        for where, text in read(part, name):
            rest = bare(text)
            for known in NAMES:
                rest = rest.replace(known, " ")
            words = re.findall(r"[^\W\d_]{2,}\w*", A_DAY.sub(" ", rest))
            if set(words) - OF_NO_LANGUAGE:
                found.add((where, text))
    return sorted(found)


SHOWN = [(page.PATH, "rfm") for page in PAGES if page.PATH != "/choose-k"]
SHOWN += [("/choose-k", "hierarchical"), ("/", "kmeans"), ("/", "toys"), ("/", "failed"), ("/drift", "kmeans")]
SHOWN += [("/run", "hierarchical"), ("/run", "failed"), ("/run", "queued"), ("/migration", "early")]


@pytest.mark.parametrize(("path", "run"), SHOWN)
def test_every_page_is_translated(desk, path, run):
    client, ids, services = desk
    with answering(services.config, services.store):
        visit = Visit(client, path, {"run": str(ids[run])}, {"segments-search.data": f"?run={ids[run]}"})
    assert english(visit.parts) == []


def test_the_panels_at_the_side_are_translated(desk):
    client, ids, _ = desk
    for run, asked in (("rfm", {"about": "0"}), ("kmeans", {"about": "1"}), ("rfm", {"customer": "00011"})):
        visit = Visit(client, "/", {"run": str(ids[run])}, {"segments-search.data": f"?run={ids[run]}"})
        visit.change("segments-side-panel-request.data", {"run": ids[run], "theme": "light", **asked})
        assert "⟦" in json.dumps(visit.parts["segments-side-panel-body"].get("children"), ensure_ascii=False)
        assert english(visit.parts) == []


def test_the_form_of_an_upload_and_its_ledger_are_translated(desk):
    client, _, services = desk
    folder = services.config.uploads.folder
    (Path(folder) / "ab.csv").write_bytes(export())
    number = services.store.add_upload(NewUpload("ab.csv", "sales.csv", 100, "ab" * 32)).id
    with answering(services.config, services.store):
        visit = Visit(client, "/data", {"upload": str(number)})
    assert "⟦Which comes first in the dates?⟧" in json.dumps(visit.parts, ensure_ascii=False)
    columns = {"Customer", "Order", "Date", "Quantity", "Price", "Country", "DE", "sales.csv"}
    assert [item for item in english(visit.parts) if item[1] not in columns] == []
    rules = [{"rule": name, "lines": 2, "orders": 1, "customers": 1, "revenue": -5.0} for name in (*RULES, *NOTES)]
    side = {"lines": 10, "orders": 5, "customers": 4, "revenue": 100.0}
    with speaking("de_DE"):
        table = ledger_table({"in": side, "out": side, "rules": rules, "notes": rules}, "GBP")
        assert english({"ledger": json.loads(to_json(table))["props"]}) == []


def test_what_goes_wrong_is_told_in_the_language(desk):
    client, _, _ = desk
    visit = Visit(client, "/run", {"run": "many"})
    assert english(visit.parts) == []
    assert "⟦run must be the number of a run, not 'many'.⟧" in json.dumps(
        visit.parts["_pages_content"], ensure_ascii=False
    )


def test_the_api_tells_people_what_is_wrong_in_the_language_and_gives_programs_the_rest_as_it_is(desk, pseudo):
    _, ids, services = desk
    with TestClient(create_app(services.config, services.store, environ={}), base_url="http://127.0.0.1/api/v1") as api:
        refused = api.get("/runs/999")
        assert refused.status_code == 404 and refused.json()["error"] == "⟦There is no run 999 in this workspace.⟧"
        misspelt = api.get("/runs", params={"snapshot_ids": 1})
        assert misspelt.status_code == 400 and misspelt.json()["error"].startswith("⟦There is no query parameter")
        assert api.get(f"/runs/{ids['rfm']}").json()["segments"][0]["name"] == "Champions"


def told_by_engines():
    """What engines say that no page of this shop shows: verdicts, reasons and advice in all their turns."""
    figures = {"stability": 0.5, "captured": 0.4, "separation": 0.3, "balance": 0.8}
    better = {**figures, "stability": 0.9, "balance": 0.7}
    one, other = Candidate("RFM", figures, 0.001), Candidate("K-means", better)
    for said in (
        weigh_candidates([one, other]),
        weigh_candidates([one, one]),
        weigh_candidates([one, Candidate("RFM", {})]),
    ):
        yield from (said.headline, *said.reasons, *said.against, *said.cautions, *said.missing)
    for k, silhouette, stability, share in ((3, 0.4, 0.9, 0.1), (3, 0.4, 0.5, 0.01), (3, None, None, 0.1)):
        point = KPoint(k, k, None, silhouette, 0.01, None, None, None, None, stability, None, share)
        yield recommend([point], elbow=3)[1]
        yield recommend([point, replace(point, k=4)], lowest_bic=3)[1]
    for alerts in ([], [False], [True], [True, False], [True, True], [False, True, True]):
        points = [DriftPoint(f"2011-{month:02}-01", 9, 0.5, alert=each) for month, each in enumerate(alerts, 5)]
        for means in ((), (0.9, 0.9), (0.9, 0.7, 0.6), (0.7, 0.7)):
            ages = [AgeAgreement(month, mean, mean, mean, 1) for month, mean in enumerate(means, 1)]
            yield refresh_interval(date(2011, 4, 1), points, ages, 0.8)[1]
        changed = [replace(point, cause="population" if point.alert else None) for point in points]
        yield refresh_interval(date(2011, 4, 1), changed, [AgeAgreement(1, 0.9, 0.9, 0.9, 1)], 0.8)[1]
    model, naive = {"rmse": 1.0, "msle": 1.0}, {"rmse": 2.0, "msle": 0.5}
    for name in ("bg_nbd", None):
        yield judge_model("purchases", name, {"bg_nbd": model, "zero": naive}, {"zero": "Nothing"})["words"]
    yield judge_model("purchases", "bg_nbd", {"bg_nbd": model}, {})["words"]


def test_what_engines_say_is_translated(pseudo):
    with speaking("de_DE"):
        parts = {str(number): {"children": say(text)} for number, text in enumerate(told_by_engines())}
    assert len(parts) > 30
    assert english(parts) == []


def test_what_the_browser_says_by_itself_comes_with_the_page(desk):
    client, _, _ = desk
    page = client.get("/").data.decode()
    words = json.loads(re.search(r'<script type="application/json" id="texts">(.*?)</script>', page, re.DOTALL)[1])
    assert words["Hide the table"] == "⟦Hide the table⟧" and words["{file} is empty."] == "⟦{file} is empty.⟧"
    assert '<html lang="de-DE"' in page
