// Pictures of the past. Chart: one quantity over time, drawn by uPlot: target shaded, envelope from least to greatest,
// mean as a line; beside it the same in words and as a table; arrow keys move along the curve. Strip: what a device did.

const HEIGHT = 184;
const LEAST_SPAN = { temp: 4, dew_point: 4, rh: 10, lux: 100, co2: 200 };
const STRIP_HEIGHT = 14;
const AXIS_PX = 56;
const TABLE_ROWS = 48;
const USUAL_FACTOR = 4; // a silence of four usual intervals is a gap, at the latest when the value counts as unknown

export class Chart {
  constructor(figure, common) {
    this.figure = figure;
    this.common = common;
    this.quantity = figure.dataset.chart;
    this.unit = figure.dataset.unit;
    this.low = figure.dataset.low === undefined ? null : Number(figure.dataset.low);
    this.high = figure.dataset.high === undefined ? null : Number(figure.dataset.high);
    this.place = figure.querySelector("[data-plot]");
    this.readout = figure.querySelector("[data-readout]");
    const digits = Number(figure.dataset.decimals);
    this.format = new Intl.NumberFormat(common.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    this.moment = new Intl.DateTimeFormat(common.language, {
      timeZone: common.zone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    });
    this.place.addEventListener("keydown", (event) => this.move(event));
    this.place.addEventListener("blur", () => this.plot?.setCursor({ left: -10, top: -10 }));
  }

  take(found, when) {
    this.when = when;
    this.found = found;
    this.data = found && found.t.length ? withGaps(found, this.common.staleAfter) : null;
    this.tell();
  }

  // The words and the table say what the picture shows.
  tell() {
    const summary = this.figure.querySelector("[data-summary]");
    const { said } = this.common;
    const details = this.figure.querySelector("details");
    details.hidden = !this.data;
    this.place.hidden = !this.data;
    if (!this.data) {
      summary.textContent = this.found ? said.nothing : said.failed;
      return;
    }
    const { min, mean, max } = this.found;
    const average = mean.reduce((sum, value) => sum + value, 0) / mean.length;
    const parts = [[said.least, smallest(min)], [said.mean, average], [said.greatest, largest(max)]];
    const words = parts.map(([name, value]) => `${name} ${this.format.format(value)} ${this.unit}`).join(" · ");
    if (summary.textContent !== words) summary.textContent = words;
    this.place.setAttribute("aria-label", `${this.figure.querySelector(".chart-name").textContent.trim()}: ${words}`);
    this.fillTable();
  }

  fillTable() {
    const { t, min, mean, max } = this.found;
    const { said } = this.common;
    const step = Math.ceil(t.length / TABLE_ROWS);
    const head = row("th", [said.at, said.least, said.mean, said.greatest]);
    const rows = [];
    for (let i = 0; i < t.length; i += step) {
      const part = (column) => column.slice(i, i + step);
      const means = part(mean);
      const values = [smallest(part(min)), means.reduce((sum, value) => sum + value, 0) / means.length, largest(part(max))];
      rows.push(row("td", [this.moment.format(t[i]), ...values.map((value) => this.format.format(value))]));
    }
    this.figure.querySelector("[data-table]").replaceChildren(head, ...rows);
  }

  draw() {
    const width = this.place.clientWidth;
    if (!this.data || !width) return;
    if (!this.plot) this.plot = new uPlot(this.options(width), this.data, this.place);
    else {
      if (this.plot.width !== width) this.plot.setSize({ width, height: HEIGHT });
      this.plot.setData(this.data);
    }
  }

  // The colours have changed: draw anew.
  forget() {
    this.plot?.destroy();
    this.plot = null;
  }

  options(width) {
    const style = getComputedStyle(this.figure);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--muted"), font: `12px ${style.fontFamily}`, ticks: { show: false } };
    const grid = { stroke: colour("--grid"), width: 1 };
    return {
      width,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.common.zone),
      cursor: {
        sync: { key: "course" }, y: false, drag: { x: false, y: false },
        points: { size: 7, fill: colour("--series"), show: (plot, series) => (series === 3 ? undefined : false) },
      },
      scales: {
        x: { range: () => [this.when.start, this.when.end] },
        y: { range: (_plot, least, greatest) => this.span(least, greatest) },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 30, gap: 6, space: 72, values: (_plot, at) => this.ticks(at) },
        { ...axis, grid, size: AXIS_PX, space: 36, values: (_plot, at) => at.map((value) => this.tick(value)) },
      ],
      series: [
        {},
        { stroke: null, points: { show: false } },
        { stroke: null, points: { show: false } },
        { stroke: colour("--series"), width: 1.75, points: { show: (_plot, _series, from, to) => to - from < 3, size: 4 } },
      ],
      bands: [{ series: [1, 2], fill: colour("--envelope") }],
      hooks: { drawClear: [(plot) => this.shade(plot, colour("--band"), colour("--band-edge"))], setCursor: [(plot) => this.read(plot)] },
    };
  }

  // All that was measured, and the target, unless that would flatten the curve.
  span(least, greatest) {
    if (this.high !== null && (this.high - greatest) < 2 * Math.max(greatest - least, Math.abs(greatest) * 0.1)) greatest = Math.max(greatest, this.high);
    if (this.low !== null && (least - this.low) < 2 * Math.max(greatest - least, Math.abs(least) * 0.1)) least = Math.min(least, this.low);
    const lack = (LEAST_SPAN[this.quantity] ?? 0) - (greatest - least); // noise must not look like a storm
    if (lack > 0) [least, greatest] = [least - lack / 2, greatest + lack / 2];
    const margin = (greatest - least) * 0.06 || Math.abs(greatest) * 0.05 || 1;
    const never = this.quantity === "temp" || this.quantity === "dew_point" ? -Infinity : 0;
    return [Math.max(never, least - margin), greatest + margin];
  }

  shade(plot, fill, edge) {
    if (this.high === null) return;
    const { ctx, bbox } = plot;
    const y = (value) => Math.min(Math.max(plot.valToPos(value, "y", true), bbox.top), bbox.top + bbox.height);
    const [from, to] = [y(this.high), y(this.low ?? plot.scales.y.min)];
    ctx.save();
    ctx.fillStyle = fill;
    ctx.fillRect(bbox.left, from, bbox.width, to - from);
    ctx.strokeStyle = edge;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    for (const at of [from, to]) {
      if (at <= bbox.top || at >= bbox.top + bbox.height) continue;
      ctx.moveTo(bbox.left, at);
      ctx.lineTo(bbox.left + bbox.width, at);
    }
    ctx.stroke();
    ctx.restore();
  }

  tick(value) {
    return Math.abs(value) >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString(this.common.language) : this.format.format(value);
  }

  ticks(moments) {
    const { language, zone: timeZone } = this.common;
    const days = (this.when.end - this.when.start) / 86400;
    const words = (options) => new Intl.DateTimeFormat(language, { timeZone, ...options });
    const clock = words({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const day = words({ month: "short", day: "numeric" });
    const month = words({ month: "short" });
    return moments.map((seconds) => {
      const at = uPlot.tzDate(new Date(seconds * 1000), this.common.zone);
      if (days > 60) return at.getDate() === 1 ? month.format(seconds * 1000) : day.format(seconds * 1000);
      const midnight = at.getHours() === 0 && at.getMinutes() === 0;
      return days > 2 || midnight ? day.format(seconds * 1000) : clock.format(seconds * 1000);
    });
  }

  read(plot) {
    const at = plot.cursor.idx;
    const [t, max, min, mean] = plot.data;
    if (at === null || at === undefined || mean[at] === null || plot.cursor.left < 0) {
      this.readout.textContent = "";
      return;
    }
    const number = (value) => this.format.format(value);
    const range = number(min[at]) === number(max[at]) ? "" : ` (${number(min[at])}–${number(max[at])})`;
    this.readout.textContent = `${this.moment.format(t[at] * 1000)} · ${number(mean[at])} ${this.unit}${range}`;
  }

  move(event) {
    if (!this.plot) return;
    const { data } = this.plot;
    const last = data[0].length - 1;
    const now = this.plot.cursor.left < 0 ? null : this.plot.cursor.idx;
    const step = event.shiftKey ? 10 : 1;
    const next = { ArrowLeft: (now ?? last + 1) - step, ArrowRight: (now ?? -1) + step, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const at = Math.max(0, Math.min(last, next));
    this.plot.setCursor({ left: this.plot.valToPos(data[0][at], "x"), top: 20 });
  }
}

// What one device did over time, as a strip beneath the charts: the darker, the further open or the longer on.
// A device reports when it moves, so a value holds until the next report. Before the first one nothing is known.
export class Strip {
  constructor(row, common) {
    this.row = row;
    this.common = common;
    this.device = row.dataset.strip;
    this.quantity = row.dataset.quantityAsked;
    this.canvas = row.querySelector("canvas");
    this.scale = this.quantity === "on" ? 1 : 100;
    this.blocks = [];
  }

  get known() {
    return this.blocks.length > 0;
  }

  take(found, when) {
    this.when = when;
    this.blocks = found ? blocks(found, when, this.scale) : [];
    this.row.hidden = !this.known;
    const told = this.blocks.reduce((sum, block) => sum + block.to - block.from, 0);
    const ran = this.blocks.reduce((sum, block) => sum + (block.share > 0.02 ? block.to - block.from : 0), 0);
    const percent = Math.round((100 * ran) / (told || 1));
    const { said } = this.common;
    const words = told ? said.share.replace("{percent}", `${percent} %`) : said.unknown;
    this.canvas.setAttribute("aria-label", `${this.canvas.dataset.name}: ${words}`);
    this.canvas.title = words;
  }

  draw() {
    const width = this.canvas.clientWidth;
    if (!width || !this.when) return;
    this.canvas.width = width * devicePixelRatio;
    this.canvas.height = STRIP_HEIGHT * devicePixelRatio;
    const context = this.canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(this.row);
    const scale = (width * devicePixelRatio) / (this.when.end - this.when.start);
    const x = (at) => Math.round((at - this.when.start) * scale) / devicePixelRatio; // whole pixels leave no seams
    for (const { from, to, share } of this.blocks) {
      context.fillStyle = style.getPropertyValue("--band").trim();
      context.globalAlpha = 1;
      context.fillRect(x(from), 0, x(to) - x(from), STRIP_HEIGHT);
      context.fillStyle = style.getPropertyValue("--accent").trim();
      context.globalAlpha = share;
      context.fillRect(x(from), 0, Math.max(x(to) - x(from), share ? 1 : 0), STRIP_HEIGHT);
    }
  }
}

// uPlot's columns (seconds, greatest, least, mean) with an empty row wherever nothing was measured for too long.
function withGaps({ t, min, mean, max, bucket_s: bucket }, staleAfter) {
  const steps = t.slice(1).map((at, i) => (at - t[i]) / 1000).sort((a, b) => a - b);
  const usual = steps.length ? steps[Math.floor(steps.length / 2)] : bucket;
  const longest = Math.max(2 * bucket, Math.min(staleAfter, USUAL_FACTOR * usual));
  const data = [[], [], [], []];
  const put = (...values) => values.forEach((value, column) => data[column].push(value));
  t.forEach((at, i) => {
    if (i && (at - t[i - 1]) / 1000 > longest) put(t[i - 1] / 1000 + bucket, null, null, null);
    put(at / 1000, max[i], min[i], mean[i]);
  });
  return data;
}

function row(kind, texts) {
  const made = document.createElement("tr");
  for (const text of texts) made.appendChild(document.createElement(kind)).textContent = text;
  return made;
}

function smallest(values) {
  return values.reduce((a, b) => Math.min(a, b));
}

function largest(values) {
  return values.reduce((a, b) => Math.max(a, b));
}

// Stretches of time with the share (0..1) of full output in each. A bucket's mean counts for the bucket, its last
// value is not told: what holds afterwards is taken to be the mean too, which is exact unless it moved twice in one.
function blocks({ t, mean, bucket_s: bucket, before }, { start, end }, scale) {
  const share = (value) => Math.max(0, Math.min(1, value / scale));
  const now = Math.min(end, Date.now() / 1000);
  const found = before ? [{ from: start, to: t.length ? t[0] / 1000 : now, share: share(before.value) }] : [];
  t.forEach((ms, i) => {
    const from = ms / 1000;
    const next = i + 1 < t.length ? t[i + 1] / 1000 : now;
    found.push({ from: Math.max(from, start), to: Math.max(next, Math.min(from + bucket, now)), share: share(mean[i]) });
  });
  return found.filter(({ from, to }) => to > from);
}
