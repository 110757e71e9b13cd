"""Where everybody begins: the published run of the default data set, whatever anybody tries or uploads."""

from datetime import date

import pytest

from dashboard.frames.cache import FrameCache
from dashboard.pipeline.request import repeat_run, snapshot_on
from dashboard.queries.audiences import audience_run, save, sizes
from dashboard.queries.which_run import context, first_run, picked_run
from dashboard.services import Services
from storage.contract import NOBODY, NotFoundError, Selection
from tests.dashboard import shop
from tests.storage.samples import unpublish

NOVEMBER, DECEMBER, JANUARY = date(2011, 11, 1), date(2011, 12, 1), date(2012, 1, 1)


class Desk:
    """A store with what is put into it."""

    def __init__(self, folder):
        self.config = shop.config(folder)
        self.store = shop.opened(self.config)
        self.services = Services(self.config, self.store, FrameCache(self.store))

    def run(self, dataset, day, engine="rfm", customers=50, **info):
        """A finished run; its snapshot is saved if it is new."""
        snapshot = self.store.save_snapshot(shop.new_snapshot(dataset, day, **info), shop.customers(customers))
        return self.store.run(shop.run(self.store, self.config, snapshot, engine))

    def first(self, **datasets):
        """The run to begin with."""
        config = self.config.replace(datasets=datasets) if datasets else self.config
        return first_run(self.store, config).id


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_a_trial_an_earlier_date_an_upload_and_a_failed_run_leave_what_everybody_sees(desk):
    published = desk.run("shop", DECEMBER)
    audience = save(desk.services, "Everyone", Selection(), published)
    counted = sizes(desk.services, audience)
    assert [(size.run.id, size.customers) for size in counted.counted] == [(published.id, 50)]
    assert counted.published
    desk.run("shop", DECEMBER, "kmeans")
    desk.run("shop", DECEMBER, customers=50)
    desk.run("shop", NOVEMBER, "hierarchical", customers=40)
    later = desk.run("shop", JANUARY, customers=60)
    uploaded = desk.run("upload", JANUARY, customers=70)
    desk.store.fail_run(desk.store.start_run(later.snapshot_id, "gmm", {}, lease_seconds=60).id, "no memory")
    assert desk.first() == published.id == int(context(desk.store, desk.config, None).run)
    assert sizes(desk.services, audience) == counted
    assert desk.store.published("upload").run_id == uploaded.id, "which is where its own pages begin"
    # publishing is what changes it, and rolling back changes it back
    desk.store.publish(later.id, who=None, via="api", why="January")
    assert desk.first() == later.id
    after = sizes(desk.services, audience)
    assert [(size.run.as_of, size.customers) for size in after.counted] == [(DECEMBER, 50), (JANUARY, 60)]
    desk.store.roll_back("shop", who=None, via="api", why="Back")
    assert (desk.first(), sizes(desk.services, audience)) == (published.id, counted)


def test_real_sales_come_before_made_up_ones_and_the_settings_before_both(desk):
    toys = desk.run("toys", DECEMBER, synthetic=True)
    assert desk.first() == toys.id
    real = desk.run("shop", NOVEMBER)
    other = desk.run("another", JANUARY)
    assert desk.first() == real.id, "it was published first"
    assert desk.first(default="another") == other.id
    assert desk.first(default="toys") == toys.id
    assert desk.first(default="nowhere") == real.id


def test_without_a_published_run_it_is_one_of_the_latest_date(desk):
    assert first_run(desk.store, desk.config) is None
    late = desk.run("shop", JANUARY, "kmeans")
    rfm = desk.run("shop", JANUARY)
    desk.run("shop", NOVEMBER)
    desk.run("toys", JANUARY, synthetic=True)
    assert late.id < rfm.id
    unpublish(desk.store)
    assert desk.first() == rfm.id
    assert desk.first(default="toys") == desk.store.runs(dataset="toys")[0].id


def test_another_data_set_is_its_published_run_and_another_date_the_same_engine(desk):
    desk.run("shop", DECEMBER)
    hierarchical = desk.run("shop", DECEMBER, "hierarchical")
    early = {engine: desk.run("shop", NOVEMBER, engine) for engine in ("rfm", "hierarchical")}
    toys = desk.run("toys", DECEMBER)
    desk.run("toys", JANUARY, "hierarchical")

    def picked(**turned):
        return picked_run(desk.store, desk.config, hierarchical, **turned).id

    assert picked(dataset="toys") == toys.id
    assert picked(snapshot=str(early["rfm"].snapshot_id)) == early["hierarchical"].id
    assert picked(run=str(early["rfm"].id)) == early["rfm"].id
    with pytest.raises(NotFoundError, match="no finished run of nowhere"):
        picked(dataset="nowhere")


def test_newest_means_the_latest_date_however_early_it_was_computed(desk):
    late = desk.run("shop", JANUARY)
    early = desk.run("shop", NOVEMBER)
    assert early.snapshot_id > late.snapshot_id
    assert snapshot_on("shop", None, desk.store) == (late.snapshot_id, None)
    assert snapshot_on("shop", NOVEMBER, desk.store) == (early.snapshot_id, None)
    assert snapshot_on("shop", DECEMBER, desk.store) == (late.snapshot_id, DECEMBER)
    assert repeat_run(early, desk.store, NOBODY, newest=True).snapshot_id == late.snapshot_id
    assert [option.value for option in context(desk.store, desk.config, None).snapshots] == [
        *(str(late.snapshot_id), str(early.snapshot_id))
    ]


def test_an_audience_of_another_engine_is_counted_on_that_and_says_so(desk):
    desk.run("shop", DECEMBER)
    hierarchical = desk.run("shop", DECEMBER, "hierarchical")
    audience = save(desk.services, "Ward's", Selection(segments=(hierarchical.segments[0].name,)), hierarchical)
    desk.run("shop", NOVEMBER, "hierarchical")
    newest = desk.run("shop", JANUARY, "hierarchical")
    assert audience_run(desk.services, audience).id == newest.id
    assert not sizes(desk.services, audience).published
    anybodys = desk.store.save_audience("Anybody's", "")
    assert audience_run(desk.services, anybodys).id == desk.first()
    gone = desk.store.save_audience("Gone", "", dataset="nowhere")
    assert audience_run(desk.services, gone) is None


def test_an_audience_follows_runs_of_equal_settings_alone(desk):
    early = desk.run("shop", NOVEMBER)
    published = desk.run("shop", DECEMBER)
    desk.store.publish(published.id, who=None, via="api", why="December")
    other = desk.store.start_run(early.snapshot_id, "rfm", {"quantiles": 3}, lease_seconds=60)
    assert other.settings != early.settings
    audience = save(desk.services, "Everyone", Selection(), published)
    assert [size.run.id for size in sizes(desk.services, audience).counted] == [early.id, published.id]
    different = desk.config.replace(engines={"settings": {"kmeans": {"k": 3}}})
    kmeans = shop.run(desk.store, different, desk.store.snapshot(early.snapshot_id), "kmeans")
    four = desk.run("shop", DECEMBER, "kmeans")
    ours = save(desk.services, "K-means", Selection(), four)
    assert desk.store.run(kmeans).settings != four.settings
    assert [size.run.id for size in sizes(desk.services, ours).counted] == [four.id]
