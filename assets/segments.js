// What the Segments page does in the browser itself: finding a country, the drawer of filters, and asking for fresh rows.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};

  var COLUMNS = "segmentry-columns";
  var stale = false;
  var watched = null;

  function remembered() {
    try {
      return JSON.parse(window.localStorage.getItem(COLUMNS) || "{}");
    } catch (error) {
      return {};
    }
  }

  // Asks for fresh rows once the table of customers comes into sight.
  function watch() {
    var table = document.getElementById("segments-customers");
    if (!table || table === watched) {
      return table && inSight(table) ? renew() : undefined;
    }
    watched = table;
    return new IntersectionObserver(function (seen) {
      if (seen[seen.length - 1].isIntersecting) {
        renew();
      }
    }, { rootMargin: "200px" }).observe(table);
  }

  function inSight(table) {
    var place = table.getBoundingClientRect();
    return place.height > 0 && place.top < window.innerHeight + 200 && place.bottom > -200;
  }

  function renew() {
    if (!stale) {
      return;
    }
    if (!window.dash_ag_grid) {
      window.setTimeout(renew, 100);
      return;
    }
    stale = false;
    window.dash_ag_grid.getApiAsync("segments-customers").then(function (api) {
      if (api.getDisplayedRowCount() > 0) {
        api.ensureIndexVisible(0, "top");
      }
      api.purgeInfiniteCache();
    });
  }

  // What opens the panel at the side is not the page's to read or write.
  function plain(search) {
    var params = new URLSearchParams(search || "");
    params.delete("customer");
    params.delete("about");
    return params.toString();
  }

  // The address of what is drawn, with what opens the panel as it is.
  function beside(address) {
    var params = new URLSearchParams(address);
    var now = new URLSearchParams(window.location.search);
    ["customer", "about"].forEach(function (name) {
      if (now.has(name)) {
        params.set(name, now.get(name));
      }
    });
    return "?" + params.toString();
  }

  window.dash_clientside.segmentry_segments = Object.assign(window.dash_clientside.segmentry_segments || {}, {
    // The address has changed: the page hears of it unless it was the page itself that changed it. A page that is new
    // hears of it in any case: what an answer to the page before it says was drawn is not its own.
    read: function (search, drawn, heard) {
      var ours = heard !== null && heard !== undefined && drawn && plain(drawn.address) === plain(search);
      if (ours) {
        return window.dash_clientside.no_update;
      }
      // whoever follows a link to a customer wants to read of them before all charts are drawn
      var first = heard === null || heard === undefined;
      return first ? window.dash_clientside.segmentry_drawers.before(search || "") : search || "";
    },

    // What is shown goes into the address, so that a link brings it back and the back button undoes it.
    write: function (drawn) {
      if (drawn && plain(drawn.address) !== plain(window.location.search)) {
        window.dash_clientside.set_props("url", { search: beside(drawn.address) });
      }
      return window.dash_clientside.no_update;
    },

    // Hides the countries that do not contain what was typed; those that are ticked stay in sight.
    find: function (text, options, chosen) {
      var needle = (text || "").trim().toLowerCase();
      window.setTimeout(function () {
        var lines = document.querySelectorAll("#segments-country-list .form-check");
        Array.prototype.forEach.call(lines, function (line, i) {
          var option = (options || [])[i];
          var name = option ? String(option.value) : "";
          line.hidden = needle !== "" && name.toLowerCase().indexOf(needle) < 0 && (chosen || []).indexOf(name) < 0;
        });
      }, 0);
      return window.dash_clientside.no_update;
    },

    // Opens and closes the drawer that the filters are in on a narrow screen; the keyboard goes along.
    drawer: function (opened, closed, beside) {
      var trigger = window.dash_clientside.callback_context.triggered_id;
      var open = trigger === "segments-open" && Boolean(opened);
      if (!opened && !closed && !beside) {
        return window.dash_clientside.no_update;
      }
      window.setTimeout(function () {
        var next = document.getElementById(open ? "segments-close" : "segments-open");
        if (next) {
          next.focus();
        }
      }, 60);
      return open ? "segments-rail open" : "segments-rail";
    },

    // Another selection: the rows that the table has kept are no longer the right ones. They are asked for when the
    // table is in sight.
    refresh: function (drawn) {
      if (drawn) {
        stale = true;
        watch();
      }
      return window.dash_clientside.no_update;
    },

    // The list of columns: those of this run, ticked as they were left in this browser.
    columns: function (definitions) {
      var left = remembered();
      var options = (definitions || []).map(function (column) {
        return { value: column.field, label: column.headerName };
      });
      var shown = (definitions || []).filter(function (column) {
        return column.field in left ? left[column.field] : !column.hide;
      });
      return [options, shown.map(function (column) { return column.field; })];
    },

    // Shows the ticked columns and hides the others, and keeps that in the browser.
    choose: function (chosen, definitions) {
      var left = remembered();
      var all = (definitions || []).map(function (column) { return column.field; });
      all.forEach(function (field) { left[field] = chosen.indexOf(field) >= 0; });
      try {
        window.localStorage.setItem(COLUMNS, JSON.stringify(left));
      } catch (error) { /* a browser that keeps nothing shows the columns all the same */ }
      if (window.dash_ag_grid && all.length) {
        window.dash_ag_grid.getApiAsync("segments-customers").then(function (api) {
          window.setTimeout(function () {
            api.setColumnsVisible(all.filter(function (field) { return left[field]; }), true);
            api.setColumnsVisible(all.filter(function (field) { return !left[field]; }), false);
          }, 0);
        });
      }
      return window.dash_clientside.no_update;
    },
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && document.querySelector(".segments-rail.open")) {
      document.getElementById("segments-close").click();
    }
  });
})();
