// Small things every page of staff and readers has: the theme button and htmx's manners.

import { write } from "./kept.js";

const root = document.documentElement;
const failed = document.querySelector("[data-failed-banner]");
const away = document.querySelector("[data-away-banner]");  // of a page that asks again and again how far something is

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `carrel_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  });
}

// On a phone the bar of places is longer than the screen: where one is must be seen.
const rail = document.querySelector(".rail");
const here = rail?.querySelector("[aria-current]");
if (here) rail.scrollLeft = here.offsetLeft - (rail.clientWidth - here.offsetWidth) / 2;

// The next one at this device is not to see what was searched for.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[action='/sign-out']")) write("localStorage", "carrel-searches", null);
});

// Readers' pages are there without a connection too, where the browser lets a worker run (HTTPS).
if (navigator.serviceWorker && document.querySelector("link[rel=manifest]")) {
  navigator.serviceWorker.register("/service-worker.js").catch(() => {}); // a browser that keeps nothing shows the site as it is
}

// An answer that is no HTML (a problem document) is not put into the page. What a person asked for must not fail silently;
// what a page asks for by itself neither shows the banner nor hides it.
document.addEventListener("htmx:before:response", (event) => {
  const { request, response } = event.detail.ctx;
  const html = response.headers.get("Content-Type")?.startsWith("text/html");
  const done = html || response.status === 204;
  if (!done) event.preventDefault();
  if (request.method !== "GET") failed.hidden = done;
  else if (away && response.status === 404) location.reload();  // what it asks after is gone, as the page then says
  else if (away) away.hidden = done;
});

document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx?.request?.method !== "GET") failed.hidden = false;
  else if (away) away.hidden = false;
});

// The second click of a double click is not sent: its answer would take the place of the first, with what is shown once.
const DOUBLE_CLICK_MS = 1000;
const sent = new WeakMap();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;  // htmx sees to its own
  if (event.timeStamp - (sent.get(form) ?? -DOUBLE_CLICK_MS) < DOUBLE_CLICK_MS) event.preventDefault();
  else sent.set(form, event.timeStamp);
});

// What was pressed may be gone with the answer: the focus stays with what it was part of.
let around = "";
document.addEventListener("htmx:before:swap", ({ detail }) => {
  const source = detail.ctx?.sourceElement;
  around = source?.matches("form") ? source.parentElement?.closest("[id]")?.id ?? "" : "";
});
document.addEventListener("htmx:after:swap", () => {
  const place = around && document.activeElement === document.body ? document.getElementById(around) : null;
  place?.setAttribute("tabindex", "-1");
  place?.focus({ preventScroll: true });
});

// What was refused is put right first.
document.querySelector("main [aria-invalid='true']")?.focus();

// A form inside a <details> has done its work: close it and keep the focus near.
document.addEventListener("htmx:before:swap", (event) => {
  const details = event.target instanceof Element ? event.target.closest("details form")?.closest("details") : null;
  if (!details) return;
  details.open = false;
  details.querySelector("summary")?.focus({ preventScroll: true });
});
