// Drawings for people who do not see them: each names itself by its chart's heading; what it shows is told in words beside it.
(function () {
  "use strict";
  var isQueued = false;

  function heading(plot) {
    var figure = plot.closest("figure, section, .seg-card");
    var title = figure ? figure.querySelector("h1, h2, h3, figcaption") : null;
    return (title && title.textContent.trim()) || document.title;
  }

  // Plotly lays several drawings over one another: the first speaks for all.
  function name() {
    isQueued = false;
    document.querySelectorAll(".js-plotly-plot").forEach(function (plot) {
      plot.querySelectorAll(".main-svg").forEach(function (drawing, place) {
        if (place > 0) {
          drawing.setAttribute("aria-hidden", "true");
        } else if (drawing.getAttribute("aria-label") !== heading(plot)) {
          drawing.setAttribute("role", "img");
          drawing.setAttribute("aria-label", heading(plot));
        }
      });
    });
  }

  new MutationObserver(function () {
    if (!isQueued) {
      isQueued = true;
      window.requestAnimationFrame(name);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
