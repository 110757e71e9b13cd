// The New run page in the browser itself: what a slider stands at, what is out of bounds, and the way to what was started.
(function () {
  "use strict";
  document.addEventListener("input", function (event) {
    var field = event.target;
    if (field.classList.contains("new-run-range")) {
      field.closest("label").querySelector("output").textContent = field.value;
    }
    var bounds = field.closest && field.closest(".new-run-bounds[data-low]");
    if (bounds) {
      var text = field.value.trim(), value = Number(text), low = bounds.dataset.low, high = bounds.dataset.high;
      var outside = !text || isNaN(value) || (low && value < Number(low)) || (high && value > Number(high));
      field.classList.toggle("is-invalid", Boolean(outside));
    }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.segmentryNewRun = {
    leave: function (address) {
      if (address) {
        window.history.pushState({}, "", address);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
      }
      return window.dash_clientside.no_update;
    },
  };
})();
