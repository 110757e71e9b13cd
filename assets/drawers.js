// The panel about a customer or a segment: a click or Enter opens it by way of the address, closing it clears the address.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};
  var NAMES = ["customer", "about"];
  var PATIENCE = 3000; // milliseconds
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

  // What the address asks for: null for nothing, undefined while the run is not known.
  function requested(drawn) {
    var params = search();
    var name = NAMES.find(function (each) { return params.get(each); });
    if (!name) {
      return null;
    }
    var named = params.get("run") || "";
    var now = { run: /^\d{1,9}$/.test(named) ? Number(named) : drawn ? drawn.run : undefined };
    now[name] = params.get(name);
    now.theme = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light";
    return now.run === undefined ? undefined : now;
  }

  function alike(now, before) {
    return JSON.stringify(now) === JSON.stringify(before || null);
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
    // What the address asks for, as soon as it is known: the panel does not wait for what the page draws.
    openFromAddress: function (_search, before, isOpen, drawn) {
      var same = window.dash_clientside.no_update;
      attach();
      var now = requested(drawn);
      if (now === undefined) {
        return [same, same];
      }
      return [alike(now, before) ? same : now, Boolean(now) === Boolean(isOpen) ? same : Boolean(now)];
    },

    // The page has found the run that an address without one means.
    runResolved: function (drawn, before) {
      var now = drawn ? requested(drawn) : null;
      attach();
      if (now && !alike(now, before)) {
        window.dash_clientside.set_props("segments-side-panel-request", { data: now });
        window.dash_clientside.set_props("segments-side-panel", { is_open: true });
      }
      return window.dash_clientside.no_update;
    },

    // A value, as soon as the panel that the address opens is filled: drawing charts keeps a browser busy for seconds.
    before: function (value) {
      if (!requested(null)) {
        return value;
      }
      var since = Date.now();
      return new Promise(function (resolve) {
        (function look() {
          if (document.querySelector(".side-panel-body > *") || Date.now() - since > PATIENCE) {
            window.setTimeout(resolve, 0, value);
          } else {
            window.setTimeout(look, 30);
          }
        })();
      });
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
