// The last searches of this device, offered under the empty field. They stay in the browser: page.js drops them at sign-out.

const KEY = "carrel-searches";
const MOST = 8;
const field = document.getElementById("q");
const section = document.getElementById("recent");

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return []; // a browser that keeps nothing, or something else under this name
  }
}

function keep(texts) {
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {} // as above
}

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
