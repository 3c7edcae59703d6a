// Sparklines: the last two hours of a value, its target band shaded. Points are kept in the element and redrawn on change.

const SPAN_MS = 2 * 3600 * 1000;
const STEP_MS = 30 * 1000; // a point at most every half minute: 240 a line
const WIDTH = 100;
const HEIGHT = 40;
const MARGIN = 4;
const TREND_MS = 15 * 60 * 1000;
const NS = "http://www.w3.org/2000/svg";

export class Sparkline {
  constructor(svg, now) {
    this.svg = svg;
    this.key = svg.dataset.spark;
    const stat = svg.closest("[data-stat]");
    this.low = numberOf(stat?.dataset.low);
    this.high = numberOf(stat?.dataset.high);
    this.points = svg.dataset.points
      .split(" ")
      .filter(Boolean)
      .map((pair) => pair.split(",").map(Number))
      .map(([age, value]) => [now - age * 1000, value]);
    this.draw(now);
  }

  add(at, value, now) {
    const last = this.points.at(-1);
    if (value === null || (last && at <= last[0])) return;
    const before = this.points.at(-2);
    if (before && at - before[0] < STEP_MS) this.points.pop();
    this.points.push([at, value]);
    this.draw(now);
  }

  // "rising", "falling" or "": the change over the last quarter of an hour against what counts as none.
  trend(now, deadband) {
    const recent = this.points.filter(([at]) => now - at <= TREND_MS);
    if (recent.length < 3) return "";
    const change = recent.at(-1)[1] - recent[0][1];
    return Math.abs(change) < deadband ? "" : change > 0 ? "rising" : "falling";
  }

  draw(now) {
    while (this.points.length && now - this.points[0][0] > SPAN_MS) this.points.shift();
    this.svg.replaceChildren();
    if (this.points.length < 2) return;
    const shown = this.points.map(([, value]) => value);
    if (this.high !== null) shown.push(this.low ?? 0, this.high);
    let bottom = Math.min(...shown);
    let top = Math.max(...shown);
    const least = Math.abs(top) * 0.02 || 1; // noise must not look like a storm
    if (top - bottom < least) [bottom, top] = [bottom - least / 2, top + least / 2];
    const start = Math.min(now - SPAN_MS / 8, this.points[0][0]);
    const x = (at) => ((at - start) / Math.max(1, now - start)) * WIDTH;
    const y = (value) => HEIGHT - MARGIN - ((value - bottom) / (top - bottom)) * (HEIGHT - 2 * MARGIN);
    if (this.high !== null) {
      const [from, to] = [y(this.high), y(this.low ?? 0)];
      this.svg.append(make("rect", { class: "target", x: 0, y: from, width: WIDTH, height: to - from }));
    }
    const path = this.points.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(2)} ${y(value).toFixed(2)}`);
    this.svg.append(make("path", { class: "line", d: path.join("") }));
  }
}

function make(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function numberOf(text) {
  return text === undefined ? null : Number(text);
}
