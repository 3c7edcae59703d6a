// A session that ends does not take a half-filled form with it: form[data-keep] comes back as it was when the same person
// signs in again in the same tab. Kept meanwhile, in that tab only: its fields and its mark of what it had seen, but no
// password, file or other hidden field. Forgotten when somebody signs out or somebody else signs in.

import { read, write } from "./kept.js";

const KEPT = "typed";
const SIGNED_OUT = "signed-out";
const FIELDS = "input:not([type=password], [type=file], [type=hidden]:not([name=seen])), select, textarea";
const user = document.querySelector("#main").dataset.user;  // none where nobody is signed in
const typed = new Set();

const recall = () => new Map(read("sessionStorage", KEPT, []));
const keep = (kept) => write("sessionStorage", KEPT, [...kept]);
const action = (form) => form.getAttribute("action");
const isTick = (field) => field.type === "checkbox" || field.type === "radio";
const nameOf = (field) => (isTick(field) ? `${field.name}=${field.value}` : field.name);
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.matches(FIELDS));
const valuesOf = (form) => Object.fromEntries(fieldsOf(form).map((field) => [nameOf(field), isTick(field) ? field.checked : field.value]));

// A form that was refused, or filled in further, comes back with what was sent.
function isAsSent(form, values) {
  const now = valuesOf(form);
  return Object.keys(values).every((name) => !values[name] || now[name] === values[name]);
}

function restore(form, values) {
  for (const field of fieldsOf(form)) {
    const name = isTick(field) ? "checked" : "value";
    const value = values[nameOf(field)];
    const folded = field.closest("details");
    if (value === undefined || value === field[name]) continue;
    field[name] = value;
    if (folded) folded.open = true;
  }
  document.querySelector("[data-restored]").hidden = false;
}

// What was left with the session alive was left on purpose, or came to the server and back.
function takeUp() {
  const kept = recall();
  for (const [address, left] of kept) {
    if (!user) {
      left.lost = true;
      continue;
    }
    const form = [...document.querySelectorAll("form[data-keep]")].find((one) => action(one) === address);
    const own = left.user === user;
    if (form && own && left.lost) restore(form, left.values);
    if (form && own && (left.lost || isAsSent(form, left.values))) typed.add(form);
    if (form || !own || !left.lost) kept.delete(address);
  }
  keep(kept);
}

function forget() {
  typed.clear();
  write("sessionStorage", KEPT, null);
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-keep]")) typed.add(form);
});

document.addEventListener("submit", (event) => {
  if (action(event.target) !== "/sign-out") return;
  forget();
  write("localStorage", SIGNED_OUT, Date.now());  // tells the other tabs
});

addEventListener("storage", (event) => {
  if (event.key === SIGNED_OUT) forget();
});

addEventListener("pagehide", () => {
  if (!typed.size) return;
  const kept = recall();
  for (const form of typed) kept.set(action(form), { user, values: valuesOf(form) });
  keep(kept);
});

takeUp();
