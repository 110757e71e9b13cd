"""The parts that all pages use: tables, fields, pickers, dialogs and progress say what they are to everyone."""

from dash import dcc, html

from dashboard.components.cards import progress, spark
from dashboard.components.dialogs import button, dialog
from dashboard.components.fields import field, picker
from dashboard.components.tables import Head, number_heads, share_bar, table, table_row


def test_a_table_is_named_and_its_figures_stand_to_the_right():
    heads = [Head("Segment"), *number_heads("Customers"), Head("ARI", is_number=True, help="1 is the same grouping")]
    shown = table("Sizes", heads, [table_row("Champions", "12", html.Td("so-so"))]).to_plotly_json()["props"]
    assert (shown["role"], shown["tabIndex"], shown["aria-label"]) == ("region", 0, "Sizes")
    head, body = shown["children"][0].children
    titles = head.children.children
    assert [item.className for item in titles] == [None, "seg-number", "seg-number seg-help"]
    assert titles[2].title == "1 is the same grouping"
    name, figure, text = body.children[0].children
    assert (name.scope, name.children) == ("row", "Champions")
    assert figure.className == "seg-number" and not hasattr(text, "className")


def test_every_control_has_a_label():
    label = field("Name", dcc.Input(id="name"), "as in the file", hidden=True)
    assert label.children[0].children[0] == "Name" and label.children[1].children == "as in the file" and label.hidden
    seen, read_out = (
        picker("engine", "Engine", [{"value": "rfm", "label": "RFM"}], "rfm", hidden_label=hidden).children[0]
        for hidden in (False, True)
    )
    assert seen.htmlFor == read_out.htmlFor == "engine"
    assert not getattr(seen, "className", None) and read_out.className == "visually-hidden"


def test_a_dialog_is_closed_and_the_way_out_is_no_strong_colour():
    made = dialog(
        "sure",
        "Delete it?",
        [html.P("For good.")],
        [button("no", "Keep it", "secondary"), button("yes", "Delete", "danger")],
    )
    assert made.is_open is False and made.children[0].children.tag == "h2"
    keep, delete = made.children[2].children
    assert keep.outline and not delete.outline


def test_progress_and_bars_say_their_values():
    stage, bar = progress("Fitting", 0.4, "Progress of run 3")
    assert stage.children == "Fitting" and bar.value == "40" and getattr(bar, "aria-label") == "Progress of run 3"
    bars = spark("Customers", [0, 5, 10], "May: 0, June: 5, July: 10")
    assert [item.style["height"] for item in bars.children] == ["2%", "50%", "100%"]
    assert bars.children[-1].className == "now" and "May: 0" in getattr(bars, "aria-label")
    assert share_bar("25 %", 0.25).children[1].children.style == {"width": "25.0%"}
