// Keeps the number of waiting requests current, and lists that show them. Asking does not count as using
// the session; once that is over the page goes to the login.
"use strict";

const EVERY_MS = 5000;
const find = (what) => Document.prototype.querySelector.call(document, what);
const badge = find("[data-live=approvals]");
let known = badge.dataset.version;

async function look() {
  if (document.hidden) return;
  const reply = await fetch("/console/live", { credentials: "same-origin", redirect: "error" });
  if (reply.status === 401) {
    location.assign("/console/login");
    return;
  }
  if (!reply.ok) return;
  const told = await reply.json();
  badge.textContent = told.waiting || "";
  badge.hidden = told.waiting === 0;
  // A page in which somebody is typing or deciding is left alone.
  if (told.version !== known && find("[data-reload]")) location.reload();
  known = told.version;
}

setInterval(() => look().catch(() => {}), EVERY_MS);
document.addEventListener("visibilitychange", () => look().catch(() => {}));
