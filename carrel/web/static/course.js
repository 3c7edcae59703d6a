// The history on a room's page: one chart a quantity, the devices' strips beneath, spans from an hour to a year.
//
// Values come as columns (GET /api/v1/rooms/{room}/history), at most 366 buckets; fetched once a minute and only while
// somebody can see them. What was not measured is a gap.

import { Chart, Strip } from "./chart.js";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const SPANS = {
  "1h": { length: HOUR_S, bucket: 30 },
  "24h": { length: DAY_S, bucket: 600 },
  "7d": { length: 7 * DAY_S, bucket: HOUR_S },
  "30d": { length: 30 * DAY_S, bucket: 4 * HOUR_S },
  "1y": { length: 365 * DAY_S, bucket: DAY_S },
};
const REFRESH_MS = 60000;

const section = document.querySelector("[data-course]");
const frame = section.querySelector(".charts");
const said = JSON.parse(section.dataset.said);
const common = {
  said,
  zone: section.dataset.zone,
  language: document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang,
  staleAfter: Number(section.dataset.staleAfter),
};
const charts = [...section.querySelectorAll("[data-chart]")].map((figure) => new Chart(figure, common));
const strips = [...section.querySelectorAll("[data-strip]")].map((row) => new Strip(row, common));
const buttons = [...section.querySelectorAll("[data-range]")];

let span = new URLSearchParams(location.search).get("span");
if (!(span in SPANS)) span = "24h";
let asked = 0; // a slow answer to an earlier question must not replace the newest
let loadedAt = 0;
let visible = false;

for (const button of buttons) {
  button.disabled = false;
  button.addEventListener("click", () => choose(button.dataset.range));
}
mark();

new IntersectionObserver(([entry]) => {
  visible = entry.isIntersecting;
  refreshIfOld();
}).observe(frame);
document.addEventListener("visibilitychange", refreshIfOld);
setInterval(refreshIfOld, 1000);

new ResizeObserver(() => draw()).observe(frame);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });

function choose(next) {
  span = next;
  const address = new URL(location.href);
  address.searchParams.set("span", span);
  history.replaceState(history.state, "", address);
  mark();
  load();
}

function mark() {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.range === span));
}

function refreshIfOld() {
  if (visible && !document.hidden && Date.now() - loadedAt >= REFRESH_MS) load();
}

async function load() {
  const when = times();
  section.dataset.shown = JSON.stringify({ span, ...when }); // what export.js is asked for
  const question = ++asked;
  loadedAt = Date.now();
  frame.setAttribute("aria-busy", "true");
  const room = section.dataset.course;
  await Promise.all([
    ...charts.map(async (chart) => {
      const found = await columns(`/api/v1/rooms/${room}/history?metric=${chart.quantity}`, when);
      if (question === asked) chart.take(found, when);
    }),
    ...strips.map(async (strip) => {
      const found = await columns(`/api/v1/devices/${strip.device}/history?quantity=${strip.quantity}`, when);
      if (question === asked) strip.take(found, when);
    }),
  ]);
  if (question !== asked) return;
  const told = section.querySelector(".strips");
  if (told) told.hidden = !strips.some((strip) => strip.known);
  draw();
  frame.setAttribute("aria-busy", "false");
}

function times() {
  const { length, bucket } = SPANS[span];
  const end = Math.ceil(Date.now() / 1000 / bucket) * bucket; // whole buckets, so that a refresh moves none of them
  return { start: end - length, end, buckets: length / bucket };
}

// The answer's columns, or null when there is none.
async function columns(address, { start, end, buckets }) {
  const query = new URLSearchParams({ from: iso(start), to: iso(end), buckets });
  try {
    const answer = await fetch(`${address}&${query}`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function iso(seconds) {
  return new Date(seconds * 1000).toISOString();
}

function draw() {
  for (const part of [...charts, ...strips]) part.draw();
}

function recolour() {
  for (const chart of charts) chart.forget();
  draw();
}
