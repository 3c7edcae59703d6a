// The desk's scan field: it always has the focus, and a scan that comes while another is answered waits its turn.

const form = document.querySelector("#scan");
const field = form.elements.namedItem("code");
const waiting = [];
const TYPING = "input:not([type=hidden]), select, textarea, summary, a, button";
let busy = false;

function next() {
  busy = false;
  if (waiting.length === 0) return;
  const typed = field.value;
  field.value = waiting.shift();
  form.requestSubmit();
  field.value = typed;
}

// In the capturing phase, so that htmx does not see what has to wait.
document.addEventListener("submit", (event) => {
  if (event.target !== form) return;
  if (!busy) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (field.value.trim()) waiting.push(field.value);
  field.value = "";
}, true);

document.addEventListener("htmx:before:request", (event) => {
  busy = true;
  if (event.target === form) field.value = "";
});

document.addEventListener("htmx:finally:request", () => {
  field.focus({ preventScroll: true });
  forgetUndo();
  setTimeout(next);
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

forgetUndo();
