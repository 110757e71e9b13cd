// Naming segments: when the window has closed, the keyboard goes back to the pencil it came from, which was drawn anew.
(function () {
  "use strict";
  window.dash_clientside = window.dash_clientside || {};

  window.dash_clientside.segmentry_names = {
    back: function (edited, editor) {
      if (edited) {
        var pencil = JSON.stringify({ key: edited.key, run: edited.run, type: editor.replace(/-editor$/, "-edit") });
        window.setTimeout(function () {
          var button = document.getElementById(pencil);
          if (button) {
            button.focus();
          }
        }, 700); // after the window has faded and the table is there again
      }
      return window.dash_clientside.no_update;
    },
  };
})();
