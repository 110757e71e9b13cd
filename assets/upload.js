// Sending a file to the server as it is dropped or chosen: how far it is, cancelling, and what went wrong.
(function () {
  "use strict";
  var say = window.segmentrySay;
  var chosen = document.createElement("input");
  var request = null;

  function part(name) { return document.getElementById("data-" + name); }

  function megabytes(bytes) {
    return (bytes / 1048576).toLocaleString(document.documentElement.dataset.numbers, { maximumFractionDigits: 1 }) + " MB";
  }

  function trouble(sentence) {
    if (part("trouble")) { part("trouble").textContent = sentence; }
  }

  function sending(is) {
    if (!part("sending")) { return; }
    part("sending").hidden = !is;
    part("choose").hidden = is;
    part("drop").classList.toggle("data-busy", is);
  }

  function refusal(file) {
    var drop = part("drop"), limit = Number(drop.dataset.limit), name = file.name.toLowerCase();
    if (!drop.dataset.kinds.split(" ").some(function (kind) { return name.endsWith(kind); })) {
      var kinds = drop.dataset.kinds.split(" ").join(", ");
      return say("{file}: files of this kind cannot be read; give {kinds}.", { file: file.name, kinds: kinds });
    }
    if (file.size > limit) {
      var sizes = { file: file.name, size: megabytes(file.size), limit: megabytes(limit) };
      return say("{file} has {size}; up to {limit} may be uploaded.", sizes);
    }
    return file.size ? "" : say("{file} is empty.", { file: file.name });
  }

  function answered() {
    var answer = {};
    try { answer = JSON.parse(this.responseText); } catch (error) { answer = {}; }
    request = null;
    if (this.status === 201) {
      part("sent").textContent = say("Looking at it …");
      var query = new URLSearchParams(window.location.search);
      query.set("upload", answer.id);
      window.location.assign("/data?" + query.toString());
      return;
    }
    sending(false);
    trouble(answer.error || say("The server answered with {status}; try again.", { status: this.status }));
  }

  function sent(file, done, whole) {
    return say("{file}: {done} of {whole}", { file: file.name, done: megabytes(done), whole: megabytes(whole) });
  }

  function send(file) {
    trouble(refusal(file));
    if (request || refusal(file)) { return; }
    var body = new FormData();
    body.append("file", file);
    request = new XMLHttpRequest();
    request.upload.onprogress = function (event) {
      if (!event.lengthComputable || !part("bar")) { return; }
      part("bar").value = 100 * event.loaded / event.total;
      part("sent").textContent = sent(file, event.loaded, event.total);
    };
    request.onload = answered;
    request.onerror = function () {
      request = null;
      sending(false);
      trouble(say("The connection broke off before {file} was received whole; send it again.", { file: file.name }));
    };
    request.onabort = function () {
      request = null;
      sending(false);
      trouble(say("Cancelled; nothing of {file} was kept.", { file: file.name }));
    };
    sending(true);
    part("bar").value = 0;
    part("sent").textContent = sent(file, 0, file.size);
    request.open("POST", "/api/v1/uploads");
    request.send(body);
  }

  function over(event) {
    return event.target.closest && event.target.closest("#data-drop");
  }

  chosen.type = "file";
  chosen.id = "data-file";
  chosen.hidden = true;
  chosen.setAttribute("aria-label", say("A file of sales"));
  chosen.addEventListener("change", function () {
    if (chosen.files.length) { send(chosen.files[0]); }
    chosen.value = "";
  });

  document.addEventListener("DOMContentLoaded", function () { document.body.appendChild(chosen); });
  document.addEventListener("click", function (event) {
    if (event.target.id === "data-choose") { chosen.click(); }
    if (event.target.id === "data-abort" && request) { request.abort(); }
  });
  ["dragenter", "dragover"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      if (over(event)) {
        event.preventDefault();
        part("drop").classList.add("data-over");
      }
    });
  });
  document.addEventListener("dragleave", function (event) {
    if (event.target.id === "data-drop") { part("drop").classList.remove("data-over"); }
  });
  document.addEventListener("drop", function (event) {
    if (!over(event)) { return; }
    event.preventDefault();
    part("drop").classList.remove("data-over");
    if (event.dataTransfer.files.length > 1) {
      trouble(say("One file at a time; put files of one shape into a .zip."));
    } else if (event.dataTransfer.files.length) {
      send(event.dataTransfer.files[0]);
    }
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.segmentryUpload = {
    leave: function (address) {
      if (address) { window.location.assign(address); }
      return window.dash_clientside.no_update;
    },
  };
})();
