// Naming segments: when the window has closed, the keyboard goes back to the pencil it came from, which was drawn anew.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};

  // Once the window has faded and the table is there again, which takes its time on a slow machine; not where somebody
  // has gone on to another part meanwhile.
  function focusOn(pencil, looks) {
    var button = document.getElementById(pencil), now = document.activeElement;
    var isFree = !now || now === document.body || now.closest(".modal");
    if (button && !document.querySelector(".modal") && isFree) {
      button.focus();
    }
    if (looks) {
      window.setTimeout(function () { focusOn(pencil, looks - 1); }, 150);
    }
  }

  window.dash_clientside.segmentry_names = {
    back: function (edited, editor) {
      if (edited) {
        var pencil = JSON.stringify({ key: edited.key, run: edited.run, type: editor.replace(/-editor$/, "-edit") });
        focusOn(pencil, 60);
      }
      return window.dash_clientside.no_update;
    },
  };
})();
