// The window of export choices: what is chosen becomes the address of the file, and the button says how many are in it.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};

  function filled(sentence, places) {
    return sentence.replace(/\{(\w+)\}/g, function (whole, name) {
      return name in places ? places[name] : whole;
    });
  }

  function written(number) {
    return new Intl.NumberFormat(document.documentElement.dataset.numbers || "en-GB").format(number);
  }

  window.dash_clientside.segmentry_choices = {
    compose: function (format, columns, ticked, control, share, seed, part, href, text, shown, words) {
      var total = Number(String(text || "").replace(/\D/g, ""));
      var drawn = Math.floor(Number(share) / 100 * total + 0.5);
      var count = !control || part === "all" ? total : part === "control" ? drawn : total - drawn;
      var chosen = columns === "all" ? null : (columns === "table" ? shown : ticked) || [];
      var hint = control ? filled(words.drawn, { count: written(drawn), total: written(total) }) : "";
      var wrong = "";
      if (control && !(Number(share) >= 1 && Number(share) <= 50)) {
        wrong = words.bad_share;
      } else if (control && !(Number.isInteger(seed) && seed >= 0 && seed <= 2147483647)) {
        wrong = words.bad_seed;
      } else if (chosen && !chosen.length) {
        wrong = words.no_columns;
      }
      var address = (href || "").split("?");
      var query = new URLSearchParams(address[1] || "");
      if (chosen && chosen.every(function (name) { return name.indexOf(",") < 0; })) {
        query.append("columns", chosen.join(","));
      } else {
        (chosen || []).forEach(function (name) { query.append("columns", name); });
      }
      if (control) {
        query.append("control", String(Number(share) / 100));
        query.append("seed", String(seed));
        if (part !== "all") {
          query.append("part", part);
        }
      }
      var queryText = query.toString().replace(/%2C/g, ",");
      var whole = address[0].replace(/\.\w+$/, "." + format) + (queryText ? "?" + queryText : "");
      return [
        wrong || !href ? "" : whole,
        count === 1 ? words.export_one : filled(words.export, { count: written(count) }),
        wrong || !href ? "btn btn-primary disabled" : "btn btn-primary",
        wrong || hint,
        columns !== "ticked",
        !control,
      ];
    },
  };
})();
