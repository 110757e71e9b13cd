// The navigation on a small screen: a panel over the page, which its button opens, and Escape, a button in it, a click
// beside it and every link in it close. On a wide screen it stands beside the page.
(function () {
  "use strict";
  var root = document.documentElement;
  var wide = window.matchMedia("(min-width: 992px)"); // as in frame.css

  function isOpen() {
    return root.hasAttribute("data-navigation");
  }

  // What is not the panel cannot be reached while it is open, by mouse or keyboard.
  function turn(open) {
    root.toggleAttribute("data-navigation", open);
    document.querySelectorAll(".seg-skip, .seg-beside").forEach(function (part) { part.inert = open; });
    document.getElementById("shell-menu").setAttribute("aria-expanded", String(open));
  }

  function open() {
    turn(true);
    var first = document.querySelector(".seg-nav .nav-link.active") || document.querySelector(".seg-nav .nav-link");
    first.focus();
  }

  // ``next``: the id of the part that has the keyboard from now on.
  function close(next) {
    if (isOpen()) {
      turn(false);
      document.getElementById(next).focus({ preventScroll: true });
    }
  }

  document.addEventListener("click", function (event) {
    var target = event.target;
    if (!target.closest) {
      return;
    }
    if (target.closest("#shell-menu")) {
      open();
    } else if (target.closest("#shell-menu-close, #shell-menu-beside")) {
      close("shell-menu");
    } else if (target.closest(".seg-side a")) {
      close("content");
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      close("shell-menu");
    }
  });

  // Back and forward, and a window that is made wider.
  window.addEventListener("popstate", function () { close("content"); });
  wide.addEventListener("change", function () { close("content"); });
})();
