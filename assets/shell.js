// What the frame does in the browser itself: theme, links that keep the run, and the run that the address names.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};
  var same = function () { return window.dash_clientside.no_update; };
  var UNDER = { "/new": "/runs" }; // a page without a link of its own, and the link that is marked while it is shown

  window.dash_clientside.segmentry = {
    theme: function (clicks) {
      var now = window.segmentryTheme.turn(clicks);
      return [now[0], now[1], now[1]];
    },

    // Only a change of the run asks the server again; filters in the address do not concern the header.
    run: function (search, known) {
      var run = new URLSearchParams(search || "").get("run");
      return run === known ? same() : run;
    },

    links: function (pathname, run, ids) {
      var query = run ? "?run=" + encodeURIComponent(run) : "";
      var shown = UNDER[pathname] || pathname;
      // said to screen readers as well: the component has no property for it
      Array.prototype.forEach.call(document.querySelectorAll(".seg-nav .nav-link"), function (link) {
        if (link.pathname === pathname) {
          link.setAttribute("aria-current", "page");
        } else {
          link.removeAttribute("aria-current");
        }
      });
      return [
        ids.map(function (id) { return id.path + query; }),
        ids.map(function (id) { return id.path === shown; }),
      ];
    },

    // As a click on a link does: a step in the history, and every part of the page is told.
    go: function (search) {
      if (search && search !== window.location.search) {
        window.history.pushState({}, "", window.location.pathname + search);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
      }
      return same();
    },

    // The example has its first run: it is opened, every part of the page anew.
    open: function (run) {
      if (run) {
        window.location.assign("/?run=" + encodeURIComponent(run));
      }
      return same();
    },

    // A page opened without a run gets the one it shows into its address, without a step back to nowhere. The address
    // is told directly, since as an output it would close a circle.
    named: function (run) {
      var search = new URLSearchParams(window.location.search);
      if (run && !search.has("run")) {
        search.set("run", run);
        var text = "?" + search.toString();
        window.history.replaceState({}, "", window.location.pathname + text + window.location.hash);
        window.dash_clientside.set_props("url", { search: text, href: window.location.href });
      }
      return run;
    },
  };
})();
