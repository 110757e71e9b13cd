// The words of the browser's own parts; then light, dark, or as the system says: set before the first paint, kept in this
// browser, and told to the figures.
(function () {
  "use strict";
  var words = document.getElementById("texts");
  var known = words ? JSON.parse(words.textContent) : {};

  // A sentence in the language of the page, its named places filled; what is not translated stays as it is written.
  window.segmentrySay = function (sentence, places) {
    return (known[sentence] || sentence).replace(/\{(\w+)\}/g, function (whole, name) {
      return places && name in places ? places[name] : whole;
    });
  };
})();

(function () {
  "use strict";
  var say = window.segmentrySay;
  var KEY = "segmentry-theme";
  var LABELS = {
    auto: say("Theme: follows the system. Change it."),
    light: say("Theme: light. Change it."),
    dark: say("Theme: dark. Change it."),
  };
  var system = window.matchMedia("(prefers-color-scheme: dark)");

  // From "as the system says" the first click must change what is seen.
  function order() {
    return system.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  }

  function choice() {
    try {
      var stored = window.localStorage.getItem(KEY);
      return order().indexOf(stored) < 0 ? "auto" : stored;
    } catch (refused) { // a browser that keeps nothing still follows the system
      return "auto";
    }
  }

  function keep(chosen) {
    try {
      window.localStorage.setItem(KEY, chosen);
    } catch (refused) {
      chosen = "auto";
    }
  }

  function apply(chosen) {
    var theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
    document.documentElement.setAttribute("data-bs-theme", theme);
    document.documentElement.setAttribute("data-theme-choice", chosen);
    return theme;
  }

  apply(choice());

  system.addEventListener("change", function () {
    if (choice() === "auto" && window.dash_clientside && window.dash_clientside.set_props) {
      window.dash_clientside.set_props("theme", { data: apply("auto") });
    }
  });

  window.segmentryTheme = {
    // Called by the button of the header: moves on when it was clicked, and says what holds now.
    turn: function (clicks) {
      var chosen = choice();
      if (clicks) {
        chosen = order()[(order().indexOf(chosen) + 1) % 3];
        keep(chosen);
      }
      return [apply(chosen), LABELS[chosen]];
    },
  };
})();
