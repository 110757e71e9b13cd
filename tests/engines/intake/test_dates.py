"""Dates in the words, clocks and zones of many places; days on which nothing can have been sold; the last day."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.errors import InputError
from engines.intake import Reading, read_sales
from engines.intake.schema.dates import parse_dates
from engines.intake.schema.possible_days import far_after, far_before
from engines.intake.schema.preview import preview

TODAY = date(2026, 3, 1)


def dates_of(values: list[str], today: date | None = TODAY, **said: str) -> tuple[list[datetime | None], str]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create table source (place integer, value varchar)")
        connection.executemany("insert into source values (?, ?)", list(enumerate(values)))
        notes = parse_dates(connection, "value", "source", Reading(**said), "a.csv", "When", today).notes
        rows = connection.execute("select parsed from source left join dates on written = value order by place")
        return [row[0] for row in rows.fetchall()], " ".join(notes)


def file_of(folder: Path, days: list[str], header: str = "customer_id,order_date,amount") -> str:
    rows = (f'c{place % 4},"{day}",{10 + place}.25' for place, day in enumerate(days))
    (folder / "a.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    return str(folder / "a.csv")


# --- forms ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "written",
    [
        *(
            "17/3/2024, 3:04:05 PM",
            "3/17/2024, 3:04:05\u202fPM",
            "Mar 17, 2024, 3:04:05\u00a0PM",
            "2024-03-17\u00a015:04:05",
        ),
        *("Sunday, March 17th, 2024 at 3:04:05 PM", "17th of March 2024 15:04:05", "17MAR2024:15:04:05"),
        *("Sun Mar 17 2024 15:04:05 GMT+0100 (Central European Standard Time)", "Sun Mar 17 15:04:05 CET 2024"),
        *("So, 17. März 2024 um 15:04:05 Uhr", "17.MRZ.2024 15:04:05", "17.03.2024 15.04.05"),
        *("dimanche 17 mars 2024 à 15:04:05", "dim. 17 mars 2024, 15:04:05", "17 MARS 2024 15:04:05"),
        *("17 de marzo de 2024, 3:04:05 p.\u00a0m.", "dom, 17 mar 2024 15:04:05", "17 marzo 2024 alle ore 15:04:05"),
        *("zo 17 mrt. 2024 15:04:05", "17 maart 2024 om 15:04:05", "17 de março de 2024 às 15:04:05"),
        *("17 marca 2024 r. 15:04:05", "niedziela, 17 marca 2024 15:04:05", "17/Mar/2024:15:04:05 +0100"),
        *("2024年3月17日 15时04分05秒", "2024年3月17日(日) 午後3:04:05", "２０２４/０３/１７ １５:０４:０５"),
        *("٢٠٢٤-٠٣-١٧ ١٥:٠٤:٠٥", "2024-03-17T15:04:05+01:00[Europe/Berlin]", "2024-03-17 15:04:05 MEZ"),
    ],
)
def test_one_moment_in_many_forms(written):
    assert dates_of([written])[0] == [datetime(2024, 3, 17, 15, 4, 5)]


@pytest.mark.parametrize(
    "names",
    [
        "January February March April May June July August September October November December",
        "Jan. Feb. Mar. Apr. May Jun. Jul. Aug. Sept. Oct. Nov. Dec.",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan. Feb. Mrz. Apr. Mai Jun. Jul. Aug. Sep. Okt. Nov. Dez.",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sept oct nov dic",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
        "JANUAR FEBRUAR MÄRZ APRIL MAI JUNI JULI AUGUST SEPTEMBER OKTOBER NOVEMBER DEZEMBER",
    ],
)
def test_months_by_name(names):
    months = [datetime(2024, month, 5) for month in range(1, 13)]
    assert dates_of([f"5 {name} 2024" for name in names.split()])[0] == months
    assert dates_of([f"05-{name}-24" for name in names.split()])[0] == months


def test_a_name_before_a_date_that_is_no_day_of_the_week_is_not_passed_over():
    assert dates_of(["Cancelled 2024-03-17", "2024-03-18"])[0] == [None, datetime(2024, 3, 18)]
    for march in ("Mar 19 2024", "mar 19/03/2024", "mar. 19 mars 2024"):  # a month, or Tuesday
        assert dates_of([march])[0] == [datetime(2024, 3, 19)]


# --- days -------------------------------------------------------------------------------------------------------------
def test_days_to_come_and_days_that_stand_for_none_are_no_days_of_sales():
    values = ["2026-03-02", "2026-03-03", "9999-12-31", "1970-01-01 00:00:00", "1900-01-01", "1969-12-31 19:00:00"]
    assert dates_of(values)[0] == [datetime(2026, 3, 2), *[None] * 5]
    assert dates_of(["2099-12-31", "2031-05-04", "2024-01-05"], None)[0] == [
        None,
        datetime(2031, 5, 4),
        datetime(2024, 1, 5),
    ]


def test_a_shop_that_sold_in_1972_may_have_sold_on_new_year_1970():
    assert dates_of(["1970-01-01", "1972-05-04"])[0] == [datetime(1970, 1, 1), datetime(1972, 5, 4)]
    assert dates_of(["2000-01-01"])[0] == [datetime(2000, 1, 1)]  # all of a file


def test_years_of_two_digits_are_never_to_come():
    read, notes = dates_of(["31-12-25", "31-12-66", "30-12-69"])
    assert read == [datetime(2025, 12, 31), datetime(1966, 12, 31), datetime(1969, 12, 30)]
    assert "'31-12-66' is 31 December 1966" in notes


def test_lines_without_a_possible_day_are_set_aside_with_the_value_and_the_reason(tmp_path):
    days = [f"2024-01-{1 + place % 28:02d}" for place in range(400)]
    days[7], days[9], days[11] = "1970-01-01", "2062-01-07", "2567-01-05"
    with read_sales(file_of(tmp_path, days), today=TODAY) as sales:
        assert (sales.first_day, sales.last_day) == (date(2024, 1, 1), date(2024, 1, 28))
        assert sales.ledger.to_dict()["rules"][0]["lines"] == 3
        (note,) = (each for each in sales.notes if "set aside" in each)
    assert "line 9 ('1970-01-01'), line 11 ('2062-01-07'), line 13 ('2567-01-05')" in note
    assert "1 line with a date after today, 2026-03-01: '2062-01-07'" in note
    assert "stands for no date, as '1970-01-01'" in note
    assert "write 2024 for 2567" in note
    with read_sales(file_of(tmp_path, days), as_of=date(2024, 2, 1)) as sales:  # nobody says which day it is
        assert sales.ledger.to_dict()["rules"][0]["lines"] == 2


def test_placeholders_are_weighed_against_all_lines_not_only_the_first(tmp_path):
    near = ["1970-01-01", *["2024-01-05"] * 20_500, "1971-06-01"]
    with read_sales(file_of(tmp_path, near), today=TODAY) as sales:
        assert sales.first_day == date(1970, 1, 1)


def test_typed_days_are_weighed_as_written_ones(tmp_path):
    days = [datetime(2024, 1, 5)] * 150 + [datetime(1900, 1, 1)]
    table = pa.table(
        {"customer_id": ["a"] * 151, "order_date": pa.array(days, pa.timestamp("us")), "amount": [1.0] * 151}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with read_sales(str(tmp_path / "a.parquet"), today=TODAY) as sales:
        assert sales.first_day == date(2024, 1, 5)
        assert any("stands for no date" in note for note in sales.notes)


# --- zones ------------------------------------------------------------------------------------------------------------
def test_two_offsets_an_hour_apart_are_one_local_clock():
    summer_and_winter = ["2024-06-01 22:30:00 -0400", "2024-12-01 22:30:00 -0500"]
    read, notes = dates_of(summer_and_winter)
    assert read == [datetime(2024, 6, 1, 22, 30), datetime(2024, 12, 1, 22, 30)]
    assert "-05:00 / -04:00" in notes
    assert "--time-zone" in notes
    read, notes = dates_of(summer_and_winter, time_zone="UTC")
    assert read == [datetime(2024, 6, 2, 2, 30), datetime(2024, 12, 2, 3, 30)]
    assert notes == "Moments were brought into the time zone UTC."


@pytest.mark.parametrize(
    "values", [["2024-06-01T22:30:00Z"], ["2024-06-01T22:30:00-05:00", "2024-06-02T05:30:00+02:00"], ["1717281000"]]
)
def test_where_no_clock_is_local_days_are_those_of_utc_and_a_note_says_so(values):
    assert "UTC" in dates_of(values)[1]
    assert "--time-zone" in dates_of(values)[1]


def test_midnights_in_utc_are_days():
    assert dates_of(["2024-06-01T00:00:00Z", "2024-06-02T00:00:00.000Z"])[1] == ""


def test_abbreviations_of_zones_mean_one_thing_or_are_asked_for():
    assert dates_of(["2024-01-05 22:00 PST", "2024-07-05 22:00 PDT"])[0] == [
        datetime(2024, 1, 5, 22),
        datetime(2024, 7, 5, 22),
    ]
    assert dates_of(["2024-01-05 22:00 EST"], time_zone="Europe/Berlin")[0] == [datetime(2024, 1, 6, 4)]
    with pytest.raises(InputError, match=r"CST.*--time-zone America/Chicago / --time-zone Asia/Shanghai"):
        dates_of(["2024-01-05 22:00 CST"])
    assert dates_of(["2024-01-05 22:00 CST"], time_zone="Asia/Shanghai")[0] == [datetime(2024, 1, 5, 22)]
    assert dates_of(["2024-01-05 22:00 CST", "2024-07-05 22:00 CDT"], time_zone="UTC")[0][0] == datetime(2024, 1, 6, 4)


def test_typed_moments_with_a_zone_say_which_days_they_count(tmp_path):
    moments = pa.array([datetime(2024, 6, 1, 22, 30)], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"customer_id": ["1"], "date": moments, "amount": [1.0]}), tmp_path / "a.parquet")
    with read_sales(str(tmp_path / "a.parquet")) as sales:
        assert any("UTC" in note and "--time-zone" in note for note in sales.notes)
    (asked,) = (each for each in preview(str(tmp_path / "a.parquet")).problems if each.kind == "time_zone")
    assert (asked.setting, asked.needed) == ("reading.time_zone", False)
    assert "Europe/London" in [option.value for option in asked.options]


# --- the last day -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "far"),
    [
        ({date(2020, 1, 1): 5, date(2020, 3, 1): 5, date(2023, 1, 1): 1}, date(2023, 1, 1)),
        ({date(2020, 1, 1): 5, date(2020, 3, 1): 5, date(2020, 12, 1): 1}, None),  # less than a year
        ({date(2015, 1, 1): 5, date(2020, 3, 1): 5, date(2023, 1, 1): 1}, None),  # they span more than that
        ({date(2015, 1, 1): 999, date(2020, 3, 1): 999, date(2023, 1, 1): 1}, date(2023, 1, 1)),
        ({date(2020, 1, 1): 3, date(2023, 1, 1): 1}, None),  # too few to say
        ({date(2020, 1, 1): 6, date(2023, 1, 1): 4}, None),  # too many
        ({}, None),
    ],
)
def test_what_is_far_from_all_other_sales(days, far):
    found = far_after(sorted(days.items()))
    assert (found.day if found else None) == far


def test_what_is_far_before_all_other_sales():
    found = far_before([(date(1942, 3, 1), 1), (date(2024, 1, 1), 3), (date(2024, 3, 1), 3)])
    assert found is not None
    assert (found.day, found.edge) == (date(1942, 3, 1), date(2024, 1, 1))


def test_a_last_sale_far_from_all_others_is_asked_about(tmp_path):
    path = file_of(tmp_path, [*(f"2021-05-{day:02d}" for day in range(1, 20)), "2023-05-04"])
    with pytest.raises(InputError, match=r"2023-05-04 \(line 21\).*--as-of 2021-05-20.*--as-of 2023-05-05"):
        read_sales(path, today=TODAY)
    with read_sales(path, today=TODAY, as_of=date(2021, 5, 20)) as sales:
        assert sales.last_day == date(2021, 5, 19)
    with read_sales(path, today=TODAY, reading=Reading(trust_guesses=True)) as sales:
        assert sales.as_of == date(2023, 5, 5)
        assert any("2023-05-04" in note and "--as-of 2021-05-20" in note for note in sales.notes)
    (asked,) = (each for each in preview(path, today=TODAY).problems if each.kind == "as_of")
    assert [option.value for option in asked.options] == ["2021-05-20", "2023-05-05"]


def test_several_last_sales_far_from_all_others_are_noted(tmp_path):
    path = file_of(tmp_path, [*(f"2021-05-{day:02d}" for day in range(1, 20)), "2023-05-04", "2023-05-07"])
    with read_sales(path, today=TODAY) as sales:
        assert any("last 2 lines are from 2023-05-04" in note and "--as-of 2021-05-20" in note for note in sales.notes)


def test_a_first_sale_far_from_all_others_is_noted(tmp_path):
    path = file_of(tmp_path, ["1942-05-04", *(f"2021-05-{day:02d}" for day in range(1, 20))])
    with read_sales(path) as sales:
        assert any("1942-05-04 (line 2)" in note and "--from 2021-05-01" in note for note in sales.notes)


def test_returns_after_the_last_sale_are_noted_as_they_do_not_count(tmp_path):
    text = "customer_id,order_date,amount\na,2024-01-05,20\nb,2024-01-06,30\nb,2024-01-09,-30\na,2024-01-10,-5\n"
    (tmp_path / "a.csv").write_text(text)
    with read_sales(str(tmp_path / "a.csv")) as sales:
        (note,) = (each for each in sales.notes if "returns" in each)
    assert note.startswith("2 returns, worth 35.00, came after the last sale")
    assert "--as-of 2024-01-11" in note
    with read_sales(str(tmp_path / "a.csv"), as_of=date(2024, 1, 11)) as sales:
        assert not [each for each in sales.notes if "returns" in each]


# --- years of two digits that come first -----------------------------------------------------------------------------
def test_a_year_of_two_digits_may_come_first():
    quarter = ["24-01-05", "24-02-17", "24-03-30"]
    with pytest.raises(InputError, match=r"24 January 2005 or 05 January 2024.*day-first or --date-order year-first"):
        dates_of(quarter)
    assert dates_of(quarter, date_order="year-first")[0][0] == datetime(2024, 1, 5)
    assert dates_of(quarter, date_order="day-first")[0][0] == datetime(2005, 1, 24)
    assert dates_of(["99-01-05", "99-02-17"])[0] == [datetime(1999, 1, 5), datetime(1999, 2, 17)]
    assert dates_of(["05.01.22", "25.02.22", "13.06.23"])[0][0] == datetime(2022, 1, 5)


def test_one_year_to_come_in_two_digits_is_a_slip_and_not_a_hundred_years_ago():
    assert dates_of(["05.01.22", "25.02.23", "13.06.42"])[0][2] is None


@pytest.mark.parametrize(
    "days",
    [["2024年1月5日", "2024年2月6日"], ["5 mars 2024", "6 août 2024"], ["1/15/2024, 3:04 PM", "2/15/2024, 3:04 PM"]],
)
def test_a_column_in_such_words_is_not_doubted(tmp_path, days):
    with read_sales(file_of(tmp_path, days)) as sales:
        assert not [note for note in sales.notes if "look like dates" in note]
    assert preview(file_of(tmp_path, days, "who,when,amount")).columns[1].kind == "date"
