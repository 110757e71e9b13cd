// What the Segments page does in the browser itself: finding a country, the drawer of filters, and asking for fresh rows.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};

  function plain(search) {
    return new URLSearchParams(search || "").toString();
  }

  window.dash_clientside.segmentry_segments = {
    // The address has changed: the page hears of it unless it was the page itself that changed it.
    read: function (search, drawn) {
      var ours = drawn && plain(drawn.address) === plain(search);
      return ours ? window.dash_clientside.no_update : search || "";
    },

    // What is shown goes into the address, so that a link brings it back and the back button undoes it.
    write: function (drawn) {
      if (drawn && plain(drawn.address) !== plain(window.location.search)) {
        window.dash_clientside.set_props("url", { search: drawn.address });
      }
      return window.dash_clientside.no_update;
    },

    // Hides the countries that do not contain what was typed; those that are ticked stay in sight.
    find: function (text, options, chosen) {
      var wanted = (text || "").trim().toLowerCase();
      window.setTimeout(function () {
        var lines = document.querySelectorAll("#segments-country-list .form-check");
        Array.prototype.forEach.call(lines, function (line, i) {
          var option = (options || [])[i];
          var name = option ? String(option.value) : "";
          line.hidden = wanted !== "" && name.toLowerCase().indexOf(wanted) < 0 && (chosen || []).indexOf(name) < 0;
        });
      }, 0);
      return window.dash_clientside.no_update;
    },

    // Opens and closes the drawer that the filters are in on a narrow screen; the keyboard goes along.
    drawer: function (opened, closed, beside) {
      var asked = window.dash_clientside.callback_context.triggered_id;
      var open = asked === "segments-open" && Boolean(opened);
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

    // Another selection: the rows that the table has kept are no longer the right ones.
    refresh: function (drawn) {
      var none = window.dash_clientside.no_update;
      if (!drawn || !window.dash_ag_grid) {
        return none;
      }
      return window.dash_ag_grid.getApiAsync("segments-customers").then(function (api) {
        if (api.getDisplayedRowCount() > 0) {
          api.ensureIndexVisible(0, "top");
        }
        api.purgeInfiniteCache();
        return none;
      });
    },
  };

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && document.querySelector(".segments-rail.open")) {
      document.getElementById("segments-close").click();
    }
  });
})();
