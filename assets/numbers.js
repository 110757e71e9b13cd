// How the table of customers writes numbers: in the manner that the server names for the whole page.
(function () {
  "use strict";
  var known = {};

  function form(places) {
    if (!known[places]) {
      known[places] = new Intl.NumberFormat(document.documentElement.dataset.numbers || "en-GB", {
        minimumFractionDigits: places,
        maximumFractionDigits: places,
        numberingSystem: "latn",
      });
    }
    return known[places];
  }

  window.dashAgGridFunctions = window.dashAgGridFunctions || {};
  window.dashAgGridFunctions.segmentryNumber = function (value, places, percent) {
    if (value === null || value === undefined) return "–";
    var number = form(places).format(percent ? 100 * value : value);
    return percent ? (document.documentElement.dataset.percent || "0 %").replace("0", number) : number;
  };
})();
