// Follows a running call. Without this script the page reloads itself every three seconds instead.
"use strict";
const live = document.getElementById("live");
if (live && live.dataset.events && window.EventSource) {
  const source = new EventSource(live.dataset.events);
  const show = (html) => {
    const made = document.createElement("div");
    made.innerHTML = html;
    const shape = (node) => node.firstElementChild && node.firstElementChild.dataset.shape;
    if (shape(made) === shape(live)) {
      // Same people, same states: only figures moved, so nothing that has the focus is replaced.
      const fresh = made.querySelectorAll("[data-live]");
      live.querySelectorAll("[data-live]").forEach((old, index) => {
        if (old.textContent !== fresh[index].textContent) old.textContent = fresh[index].textContent;
      });
      return;
    }
    const focused = document.activeElement && document.activeElement.id;
    live.innerHTML = html;
    const again = focused && document.getElementById(focused);
    if (again) again.focus();
  };
  source.addEventListener("call", (event) => show(event.data));
  source.addEventListener("end", () => {
    source.close();
    location.replace(location.pathname);
  });
}
// A page that changes by itself, but not while somebody is using it.
const every = document.body.dataset.reload;
if (every) {
  setInterval(() => {
    if (document.activeElement === document.body) location.reload();
  }, Number(every) * 1000);
}
// A second tap on a button that is already under way does nothing here; the form's token makes it
// harmless without this script too.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  document.querySelectorAll("[data-sent]").forEach((form) => delete form.dataset.sent);
});
