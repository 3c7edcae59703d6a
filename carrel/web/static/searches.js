// The last searches of this device, offered under the empty field. They stay in the browser: page.js drops them at sign-out.

import { read, write } from "./kept.js";

const KEY = "carrel-searches";
const MOST = 8;
const field = document.getElementById("q");
const section = document.getElementById("recent");

function kept() {
  const found = read("localStorage", KEY, []);
  return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, MOST) : []; // else somebody else's
}

const keep = (texts) => write("localStorage", KEY, texts);

// While somebody types, every pause is a search; what they meant they send, or open something of what it found.
function remember() {
  const text = field.value.trim();
  if (text) keep([text, ...kept().filter((one) => one !== text)].slice(0, MOST));
}

function show() {
  const texts = field.value ? [] : kept();
  section.hidden = !texts.length;
  section.querySelector("ul").replaceChildren(...texts.map(entry));
}

function entry(text) {
  const link = document.createElement("a");
  link.href = `/search?${new URLSearchParams({ q: text })}`;
  link.textContent = text;
  const item = document.createElement("li");
  item.append(link);
  return item;
}

field.form.addEventListener("submit", remember);
field.addEventListener("input", show);
document.addEventListener("click", (event) => event.target.closest("#results .record a") && remember());
section.querySelector("button").addEventListener("click", () => {
  keep([]);
  show();
  field.focus();
});
addEventListener("pageshow", show); // also a page that comes back from the browser's history
addEventListener("storage", show);
