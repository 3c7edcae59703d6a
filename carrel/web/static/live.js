// Live values of a page over one WebSocket. The protocol is described in docs/live.md.
//
// <body data-sub="room:reading-room alarms" data-stale-after="900" data-now="ms">
// [data-k] shows a value, [data-age] its age, [data-stat] carries the value's state, [data-spark] its line,
// [data-verdict] says how it lies to its target, [data-trend-word] where it goes,
// [data-live] is HTML that is fetched again when its rev changes.
// [data-until] counts down to a moment, [data-since] is the age of one; both also in HTML that was fetched again.

import { Sparkline } from "./spark.js";

const SILENCE_MS = 5000; // the server speaks at least every 2 s
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000; // half as much again at most, so that a page heals within 20 s of the server
const ASK_MS = 15000; // between looks for alarms while the channel is away
const TICK_MS = 1000;
const JUST_NOW_MS = 10000; // a number that runs through 1, 2, 3 beside every value is only unrest
const TREND_DEADBAND = { temp: 0.3, rh: 1, lux: 40, co2: 50 };
const ARROWS = { rising: "↗", falling: "↘", "": "" };

const root = document.documentElement;
const body = document.body;
const language = root.lang;
const topics = body.dataset.sub.split(" ");
const staleAfterMs = Number(body.dataset.staleAfter) * 1000;
const formats = {
  temp: new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  rh: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }),
  rh1: new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  lux: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }),
  co2: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }),
};
const ages = new Intl.RelativeTimeFormat(language, { numeric: "always" });

let clockAhead = Number(body.dataset.now) - Date.now(); // of the server's clock
const now = () => Date.now() + clockAhead;

const values = new Map(); // key -> {v, t, old}
const sparklines = new Map();
for (const stat of document.querySelectorAll("[data-stat]")) {
  if (stat.dataset.at) values.set(stat.dataset.stat, { v: undefined, t: Number(stat.dataset.at), old: stat.classList.contains("is-stale") });
}
for (const svg of document.querySelectorAll("[data-spark]")) sparklines.set(svg.dataset.spark, new Sparkline(svg, now()));

// ---- connection

let socket = null;
let sequence = 0;
let retryMs = FIRST_RETRY_MS;
let heardAt = performance.now();
let askedAt = -ASK_MS;

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(`${scheme}//${location.host}/live`);
  socket = opened;
  opened.addEventListener("open", () => subscribe(opened));
  opened.addEventListener("message", (event) => {
    if (socket === opened) take(JSON.parse(event.data));
  });
  opened.addEventListener("close", () => {
    if (socket === opened) retry();
  });
}

function retry() {
  socket = null;
  setTimeout(connect, retryMs * (0.5 + Math.random()));
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

function subscribe(to) {
  to.send(JSON.stringify({ sub: topics }));
}

function take(message) {
  heardAt = performance.now();
  retryMs = FIRST_RETRY_MS;
  clockAhead = message.now - Date.now();
  if (!message.full && message.seq !== sequence + 1) subscribe(socket);
  sequence = message.seq;
  if (message.full) missing(message.patch);
  for (const [key, patch] of Object.entries(message.patch)) {
    if ("rev" in patch) renew(key, patch.rev);
    else show(key, patch);
  }
  mark(message.old ? "is-old" : "is-live");
}

// A snapshot that lacks a value says that there is none.
function missing(patch) {
  for (const key of values.keys()) if (!(key in patch)) show(key, { v: null, t: null });
}

// ---- the page

function show(key, { v, t, old = false }) {
  const before = values.get(key);
  values.set(key, { v, t, old });
  for (const element of document.querySelectorAll(`[data-k="${key}"]`)) {
    const text = v === null ? "–" : formats[element.dataset.format].format(v);
    if (element.textContent !== text) element.textContent = text;
  }
  for (const stat of document.querySelectorAll(`[data-stat="${key}"]`)) {
    stat.classList.toggle("is-missing", v === null);
    stat.classList.toggle("is-above", v !== null && asShown(key, v) > Number(stat.dataset.high ?? Infinity));
    stat.classList.toggle("is-below", v !== null && asShown(key, v) < Number(stat.dataset.low ?? -Infinity));
  }
  for (const verdict of document.querySelectorAll(`[data-verdict="${key}"]`)) judge(verdict, key, old ? null : v);
  if (t !== null && t !== before?.t) draw(key, v, t);
  tickOne(key);
}

const formatOf = (key) => formats[key.split(".").at(-1)];

// A value is judged as people read it: 60.2, shown as 60, is not above 60.
const asShown = (key, v) => Number(v.toFixed(formatOf(key).resolvedOptions().maximumFractionDigits));

// The sentence of the side, with the amount in place of {by}.
function judge(element, key, v) {
  const { low, high } = element.closest("[data-stat]").dataset;
  const seen = v === null ? null : asShown(key, v);
  const beyond = seen === null ? 0 : Math.max(seen - Number(high), Number(low) - seen);
  const side = seen === null ? "unknown" : beyond <= 0 ? "inside" : seen > Number(high) ? "above" : "below";
  const text = element.dataset[side].replace("{by}", `${formatOf(key).format(beyond)} ${element.dataset.unit}`);
  if (element.textContent !== text) element.textContent = text;
}

function draw(key, v, t) {
  const line = sparklines.get(key);
  if (!line) return;
  line.add(t, v, now());
  const trend = line.trend(now(), TREND_DEADBAND[key.split(".").at(-1)] ?? 0);
  for (const element of document.querySelectorAll(`[data-trend="${key}"]`)) {
    element.textContent = ARROWS[trend];
    element.title = element.dataset[trend] ?? "";
  }
  for (const element of document.querySelectorAll(`[data-trend-word="${key}"]`)) {
    element.textContent = element.dataset[trend || "steady"];
  }
}

function renew(key, rev) {
  for (const element of document.querySelectorAll(`[data-live="${key}"]`)) {
    if (element.dataset.rev === rev) continue;
    element.dataset.rev = rev;
    element.dispatchEvent(new CustomEvent("live-changed"));
  }
}

function mark(state) {
  root.classList.toggle("is-live", state === "is-live");
  root.classList.toggle("is-lost", state === "is-lost");
  root.classList.toggle("is-old", state === "is-old");
  for (const banner of document.querySelectorAll("[data-stale-banner]")) banner.hidden = state !== "is-lost";
  for (const banner of document.querySelectorAll("[data-old-banner]")) banner.hidden = state !== "is-old";
  for (const word of document.querySelectorAll("[data-live-word]")) {
    const text = word.dataset[{ "is-live": "liveWord", "is-old": "oldWord", "is-lost": "lostWord" }[state]];
    if (word.textContent !== text) word.textContent = text;
  }
}

// ---- time passes

function tickOne(key) {
  const { t, old } = values.get(key);
  const age = t === null ? null : Math.max(0, now() - t);
  for (const element of document.querySelectorAll(`[data-age="${key}"]`)) {
    if (age === null) continue;
    const text = age < JUST_NOW_MS ? element.dataset.justNow : spell(age);
    if (element.textContent !== text) element.textContent = text;
  }
  for (const stat of document.querySelectorAll(`[data-stat="${key}"]`)) {
    stat.classList.toggle("is-stale", old || (age !== null && age > staleAfterMs));
  }
}

function tickMoments() {
  for (const element of document.querySelectorAll("[data-until]")) {
    const seconds = Math.max(0, Math.round((Number(element.dataset.until) - now()) / 1000));
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const two = (number) => String(number).padStart(2, "0");
    element.textContent = hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  }
  for (const element of document.querySelectorAll("[data-since]")) {
    const age = Math.max(0, now() - Number(element.dataset.since));
    const text = age < JUST_NOW_MS ? element.dataset.justNow : spell(age);
    if (element.textContent !== text) element.textContent = text;
  }
}

function spell(ageMs) {
  const seconds = Math.floor(ageMs / 1000);
  if (seconds < 60) return ages.format(-seconds, "second");
  if (seconds < 3600) return ages.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return ages.format(-Math.floor(seconds / 3600), "hour");
  return ages.format(-Math.floor(seconds / 86400), "day");
}

setInterval(() => {
  for (const key of values.keys()) tickOne(key);
  tickMoments();
  if (performance.now() - heardAt <= SILENCE_MS) return;
  mark("is-lost");
  if (performance.now() - askedAt > ASK_MS) {
    askedAt = performance.now();
    renew("alarms", `asked ${askedAt}`);
  }
  if (socket) {
    const dead = socket; // a cut wire closes nothing by itself
    retry();
    dead.close();
  }
}, TICK_MS);

connect();
