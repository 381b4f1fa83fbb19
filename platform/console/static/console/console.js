// What the pages do by themselves: parts that renew, and words before what cannot be taken back.
(() => {
  "use strict";

  document.addEventListener("submit", (event) => {
    const words = event.target.dataset.confirm;
    if (words && !window.confirm(words)) event.preventDefault();
  });

  // A hidden page asks for nothing; shown again, it asks at once.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.closest("[data-renews]")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    document.querySelectorAll("[data-renews]").forEach((part) => window.htmx.trigger(part, "shown"));
  });

  // Old figures that look new are worse than none.
  let silentSince = null;
  const fell = () => {
    silentSince = silentSince || new Date();
    const since = silentSince.toISOString().slice(11, 19);
    tell(`No answer from the desk since ${since} UTC: what stands here is old. Is the web process running?`);
  };
  const answered = (event) => {
    if (event.detail.xhr && event.detail.xhr.status >= 500) return fell();
    silentSince = null;
    tell("");
  };
  const tell = (words) => {
    const place = document.getElementById("desk-stale");
    if (!place) return;
    place.textContent = words;
    place.hidden = !words;
  };
  document.addEventListener("htmx:sendError", fell);
  document.addEventListener("htmx:timeout", fell);
  document.addEventListener("htmx:afterOnLoad", answered);
  document.addEventListener("htmx:responseError", answered);
})();
