// The charts of the Segments page in the browser: their tables and pictures, tabs, and what is drawn or clicked on them.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};
  // The map has outlines of its own: Plotly need not fetch any from elsewhere.
  window.PlotlyGeoAssets = { topojson: { world_110m: { type: "Topology", objects: {}, arcs: [] } } };
  var here = (window.dash_clientside.segmentry_segments = window.dash_clientside.segmentry_segments || {});

  function element(type, props) {
    return { type: type, namespace: "dash_html_components", props: props };
  }

  function plot(id) {
    return document.querySelector("#" + id + " .js-plotly-plot");
  }

  function triggeredId() {
    return window.dash_clientside.callback_context.triggered_id;
  }

  // The numbers of a chart as a table, which come with its figure; open as long as its button says so.
  here.table = function (clicks, figure) {
    var open = Boolean((clicks || 0) % 2);
    var said = open ? window.segmentrySay("Hide the table") : window.segmentrySay("Show as table");
    if (!open) {
      return [null, true, said, "false"];
    }
    var table = ((((figure || {}).layout || {}).meta || {}).table) || { head: [], rows: [] };
    function line(cells, i) {
      return element("Tr", {
        key: String(i),
        children: cells.map(function (cell, place) {
          var number = /^[-–−<£$€¥]?\s?[A-Z]{0,3}\s?[\d.,]/.test(cell);
          return place === 0
            ? element("Th", { children: cell, scope: "row", key: String(place) })
            : element("Td", { children: cell, className: number ? "seg-number" : "", key: String(place) });
        }),
      });
    }
    var head = element("Thead", {
      children: element("Tr", {
        children: table.head.map(function (cell, place) {
          return element("Th", { children: cell, scope: "col", key: String(place), className: place ? "seg-number" : "" });
        }),
      }),
    });
    var body = element("Tbody", { children: table.rows.map(line) });
    return [element("Table", { children: [head, body], className: "seg-table" }), false, said, "true"];
  };

  // Shows the chart of the chosen tab and hides its neighbours.
  here.tab = function (chosen, options) {
    return options.map(function (option) {
      return option.value !== chosen;
    });
  };

  // A box over a cloud: only its ends go to the server.
  here.shape = function () {
    var graph = triggeredId();
    var place = Array.prototype.findIndex.call(arguments, function (data, i) {
      return ["segments-activity", "segments-value"][i] === graph;
    });
    var data = place < 0 ? null : arguments[place];
    if (!data || !data.range) {
      return window.dash_clientside.no_update;
    }
    return { chart: graph.replace("segments-", ""), range: data.range };
  };

  // A click on a name in a legend filters by that segment instead of hiding its points.
  here.legends = function () {
    ["segments-activity", "segments-value"].forEach(function (id) {
      var tries = 0;
      (function hook() {
        var graph = plot(id);
        if (!graph || !graph.on) {
          tries += 1;
          return tries < 40 ? window.setTimeout(hook, 250) : undefined;
        }
        if (graph.segmentryLegend) {
          return undefined;
        }
        graph.segmentryLegend = true;
        graph.on("plotly_legenddoubleclick", function () {
          return false;
        });
        graph.on("plotly_legendclick", function (event) {
          var name = event.data[event.curveNumber].meta;
          window.dash_clientside.set_props("segments-legend", { data: { name: name, at: Date.now() } });
          return false;
        });
        return undefined;
      })();
    });
    return window.dash_clientside.no_update;
  };

  // The picture of a chart as a file, on the ground of the page so that it can be read anywhere.
  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("[data-picture]") : null;
    var graph = button ? plot(button.dataset.graph) : null;
    if (!graph || !window.Plotly) {
      return;
    }
    var ground = window.getComputedStyle(document.documentElement).getPropertyValue("--seg-surface").trim();
    var heading = document.getElementById(button.dataset.graph + "-title");
    var layout = Object.assign({}, graph.layout, {
      paper_bgcolor: ground || "#ffffff",
      title: { text: heading ? heading.textContent : "", x: 0.02, font: { size: 15 } },
      margin: Object.assign({}, graph.layout.margin, { t: 56 }),
      template: graph.layout.template,
    });
    window.Plotly.downloadImage(
      { data: graph.data, layout: layout, config: { locale: graph._context.locale, locales: graph._context.locales } },
      { format: button.dataset.picture, filename: button.dataset.name, width: 1000, height: 620, scale: 2 }
    );
  });
})();
