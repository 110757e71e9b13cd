// How the table of customers writes numbers: in the manner that the server names for the whole page.
(function () {
  "use strict";
  var known = {};

  function form(places, percent) {
    var key = places + (percent ? "%" : "");
    if (!known[key]) {
      known[key] = new Intl.NumberFormat(document.documentElement.dataset.numbers || "en-GB", {
        style: percent ? "percent" : "decimal",
        minimumFractionDigits: places,
        maximumFractionDigits: places,
        numberingSystem: "latn",
      });
    }
    return known[key];
  }

  window.dashAgGridFunctions = window.dashAgGridFunctions || {};
  window.dashAgGridFunctions.segmentryNumber = function (value, places, percent) {
    return value === null || value === undefined ? "–" : form(places, percent).format(value);
  };
})();
