// The desk's scan field: it always has the focus, and a scan that comes while another is answered waits its turn.
// After a scan that failed nothing is sent, or what waits might be lent to the reader before: somebody scans the failed
// number again, sends all of it again, or discards it. What waits when the page is left, as for a sign-in that has ended,
// waits again when the same reader is open; for any other it is only told of.

import { read, write } from "./kept.js";

const form = document.querySelector("#scan");
const field = form.elements.namedItem("code");
const held = document.querySelector("#held");
const failed = document.querySelector("[data-failed-banner]");
const left = document.querySelector("#left");
const waiting = [];
const KEPT = "desk-not-done";
const SCANNED_MS = 30;  // a character at most
const TYPING = "input:not([type=hidden]), select, textarea, summary, a, button";
let busy = false;
let stopped = false;
let sent = "";
let answered = false;
let began = 0;

function next() {
  busy = false;
  if (stopped || waiting.length === 0) return;
  const typed = field.value;
  field.value = waiting.shift();
  form.requestSubmit();
  field.value = typed;
}

function tell() {
  held.hidden = !stopped;
  held.querySelector("[data-failed]").textContent = waiting[0] ?? "";
  held.querySelector("[data-behind]").hidden = waiting.length < 2;
  held.querySelector("[data-behind] strong").textContent = waiting.slice(1).join(", ");
}

// Card of a reader, or "" for none -> what was scanned while that reader was open.
const others = new Map(read("sessionStorage", KEPT, []));
const reader = () => document.querySelector("#desk [form=scan][name=card]").value;

function takeUp() {
  write("sessionStorage", KEPT, null);
  waiting.push(...(others.get(reader()) ?? []));
  others.delete(reader());
  stopped = waiting.length > 0;
  tell();
  tellOthers();
}

function keep() {
  const codes = [...(others.get(reader()) ?? []), ...(sent ? [sent] : []), ...waiting];
  if (codes.length) others.set(reader(), codes);
  if (others.size) write("sessionStorage", KEPT, [...others]);
}

function tellOthers() {
  left.hidden = others.size === 0;
  left.querySelector("ul").replaceChildren(...[...others].map(([card, codes]) => {
    const link = document.createElement("a");
    link.href = card ? `/desk?card=${encodeURIComponent(card)}` : "/desk";
    link.textContent = card || left.dataset.nobody;
    const line = document.createElement("li");
    line.append(link, `: ${codes.join(", ")}`);
    return line;
  }));
}

function resume() {
  stopped = false;
  tell();
  if (busy) return;
  busy = true;
  setTimeout(next);  // a form cannot be submitted while it is being submitted
}

// In the capturing phase, so that htmx does not see what has to wait.
document.addEventListener("submit", (event) => {
  if (event.target !== form) return;
  if (field.value.trim() && !busy && !stopped) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const code = field.value.trim();
  field.value = "";
  if (stopped && code === waiting[0]) return resume();
  if (code) waiting.push(code);
  if (stopped) tell();
}, true);

// What a page asks for by itself, as whether there is a fire, is no scan and takes no focus.
const byItself = (event) => event.detail.ctx?.request?.method === "GET";

document.addEventListener("htmx:before:request", (event) => {
  if (byItself(event)) return;
  busy = true;
  answered = false;
  sent = "";
  if (event.target !== form) return;
  sent = field.value.trim();
  field.value = "";
});

document.addEventListener("htmx:before:response", (event) => {
  if (byItself(event)) return;
  const { response } = event.detail.ctx;
  answered = response.status >= 200 && response.status < 400 && !response.headers.has("HX-Redirect") && !event.defaultPrevented;
});

document.addEventListener("htmx:finally:request", (event) => {
  if (byItself(event)) return;
  if (!answered) {
    if (sent) {
      waiting.unshift(sent);
      failed.hidden = true;  // what is told of the scan is more exact
    }
    stopped = stopped || waiting.length > 0;
    tell();
  }
  sent = "";
  field.focus({ preventScroll: true });
  forgetUndo();
  setTimeout(next);
});

held.querySelector("[data-again]").addEventListener("click", () => {
  field.focus({ preventScroll: true });
  resume();
});

held.querySelector("[data-discard]").addEventListener("click", () => {
  waiting.length = 0;
  // The server may have done what failed here; its number must not stand for another scan.
  for (const id of document.querySelectorAll("#desk [form=scan][name=request_id]")) id.value = "";
  failed.hidden = true;
  field.focus({ preventScroll: true });
  resume();
});

left.querySelector("[data-forget]").addEventListener("click", () => {
  others.clear();
  tellOthers();
  field.focus({ preventScroll: true });
});

// Some scanners end a number with Tab; nobody types that fast.
field.addEventListener("keydown", (event) => {
  if (!field.value) began = event.timeStamp;
  const length = field.value.length;
  if (event.key !== "Tab" || event.shiftKey || length < 4 || event.timeStamp - began > SCANNED_MS * length) return;
  event.preventDefault();
  form.requestSubmit();
});

// A click beside everything gives the field its focus back.
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && !event.target.closest(TYPING) && getSelection().isCollapsed) field.focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") field.focus();
});

function forgetUndo() {
  for (const offer of document.querySelectorAll("[data-undo]:not([data-timed])")) {
    offer.dataset.timed = "";
    setTimeout(() => {
      if (offer.contains(document.activeElement)) field.focus({ preventScroll: true });
      offer.remove();
    }, Number(offer.dataset.undo) * 1000);
  }
}

takeUp();
field.focus({ preventScroll: true });  // autofocus waits for the first picture, and on a busy computer a scan may come before it
addEventListener("pagehide", keep);
forgetUndo();
