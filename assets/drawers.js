// The panel about a customer or a segment: a click or Enter opens it by way of the address, closing it clears the address.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};
  var NAMES = ["customer", "about"];
  var attached = null;

  function search() {
    return new URLSearchParams(window.location.search);
  }

  function go(params) {
    var text = params.toString();
    window.dash_clientside.set_props("url", { search: text ? "?" + text : "" });
  }

  function open(name, value) {
    var params = search();
    NAMES.forEach(function (each) { params.delete(each); });
    params.set(name, value);
    go(params);
  }

  function opened(event) {
    if (event.data && event.data.customer_id !== undefined && !String(window.getSelection())) {
      open("customer", event.data.customer_id);
    }
  }

  // The table of customers tells of clicks and keys once it is there.
  function attach() {
    var table = document.getElementById("segments-customers");
    if (!table || table === attached) {
      return;
    }
    if (!window.dash_ag_grid) {
      window.setTimeout(attach, 200);
      return;
    }
    attached = table;
    window.dash_ag_grid.getApiAsync("segments-customers").then(function (api) {
      api.addEventListener("cellClicked", opened);
      api.addEventListener("cellKeyDown", function (event) {
        if (event.event && event.event.key === "Enter") {
          opened(event);
        }
      });
    });
  }

  window.dash_clientside.segmentry_drawers = {
    // What the address asks for, of the run that the page shows.
    asked: function (_search, drawn, before, isOpen) {
      var same = window.dash_clientside.no_update;
      attach();
      if (!drawn) {
        return [same, same];
      }
      var params = search();
      var name = NAMES.find(function (each) { return params.get(each); });
      var now = name ? { run: drawn.run } : null;
      if (name) {
        now[name] = params.get(name);
      }
      var known = JSON.stringify(now) === JSON.stringify(before || null);
      return [known ? same : now, Boolean(name) === Boolean(isOpen) ? same : Boolean(name)];
    },

    closed: function (isOpen) {
      var params = search();
      if (!isOpen && NAMES.some(function (each) { return params.has(each); })) {
        NAMES.forEach(function (each) { params.delete(each); });
        go(params);
      }
      return window.dash_clientside.no_update;
    },
  };

  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("[data-about]") : null;
    if (button) {
      open("about", button.getAttribute("data-about"));
    }
  });
})();
