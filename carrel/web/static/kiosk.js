// The kiosk's page: shows the screens that the gateway sends, sends touches back. See docs/kiosk.md.

const SILENCE_MS = 5000;
const PING_MS = 2000;
const RETRY_MS = 1000;
const ACTIVITY_MS = 2000;
const NOTES = { ok: [660, 880], attention: [520, 520], fail: [330, 220] };
const NOTE_S = 0.14;

// The library's own time, whatever zone the machine is set to.
const clockFace = new Intl.DateTimeFormat("en-GB", {
  timeZone: document.body.dataset.zone,
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

const root = document.documentElement;
const stage = document.getElementById("kiosk");
const lost = document.getElementById("lost");

let socket = null;
let sequence = 0;
let heardAt = 0;
let activeAt = 0;
let countdown = null;
let sound = null;

// ---- connection

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(`${scheme}//${location.host}${document.body.dataset.live}`);
  socket = opened;
  heardAt = performance.now();
  opened.addEventListener("message", (event) => {
    if (socket !== opened) return;
    heardAt = performance.now();
    const message = JSON.parse(event.data);
    if ("html" in message) show(message);
  });
  opened.addEventListener("close", () => {
    if (socket === opened) drop();
  });
}

function drop() {
  socket = null;
  wipe();
  setTimeout(connect, RETRY_MS);
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

setInterval(() => {
  if (!socket) return;
  send({ ping: Math.round(performance.now()) });
  if (performance.now() - heardAt > SILENCE_MS) {
    const dead = socket;
    drop();
    dead.close();
  }
}, PING_MS);

// ---- screens

function show({ seq, screen, lang, html, tone, countdown_s: seconds }) {
  const focused = document.activeElement?.id;
  const moved = stage.dataset.screen !== screen;
  sequence = seq;
  root.lang = lang;
  stage.dataset.screen = screen;
  stage.dataset.seq = seq;
  stage.innerHTML = html; // made by the gateway's own templates, which escape what comes from tags and people
  const behind = seconds === null ? [] : stage.querySelectorAll(":scope > :not(.veil)");
  for (const part of behind) part.inert = true;
  const heading = stage.querySelector(seconds === null ? "h1" : "[role=alertdialog] h2");
  const same = moved || seconds !== null ? null : focused && document.getElementById(focused);
  (same || heading)?.focus({ preventScroll: true });
  count(seconds);
  tick();
  if (moved || tone !== stage.dataset.tone) play(tone);
  stage.dataset.tone = tone;
}

// Nothing about a person stays when the gateway cannot be heard.
function wipe() {
  count(null);
  stage.dataset.screen = "lost";
  stage.replaceChildren(lost.content.cloneNode(true));
}

function count(seconds) {
  clearInterval(countdown);
  if (seconds === null) return;
  const ends = performance.now() + seconds * 1000;
  const spell = () => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    for (const place of stage.querySelectorAll("[data-countdown]")) place.textContent = left;
  };
  countdown = setInterval(spell, 250);
  spell();
}

function tick() {
  const time = clockFace.format(new Date());
  for (const clock of stage.querySelectorAll("[data-clock]")) clock.textContent = time;
}
setInterval(tick, 5000);

// ---- fingers and keys

stage.addEventListener("click", (event) => {
  const button = event.target.closest("[data-touch]");
  if (button && button.getAttribute("aria-disabled") !== "true") touch(button.dataset.touch);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && stage.querySelector("[data-touch=done]")) touch("done");
});

for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => {
    sound ??= newSound();
    if (performance.now() - activeAt < ACTIVITY_MS) return;
    activeAt = performance.now();
    send({ touch: "activity", seq: sequence });
  });
}

for (const kind of ["contextmenu", "dragstart", "selectstart"]) {
  document.addEventListener(kind, (event) => event.preventDefault());
}
document.addEventListener("wheel", (event) => event.ctrlKey && event.preventDefault(), { passive: false });

function touch(name) {
  send({ touch: name, seq: sequence });
}

// ---- tones: every one has a visual twin on the screen

function newSound() {
  return "AudioContext" in window ? new AudioContext() : null;
}

function play(tone) {
  const notes = NOTES[tone];
  if (!notes || !sound) return;
  notes.forEach((frequency, i) => {
    const start = sound.currentTime + i * NOTE_S;
    const oscillator = new OscillatorNode(sound, { type: "sine", frequency });
    const gain = new GainNode(sound, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.25, start + 0.02);
    gain.gain.linearRampToValueAtTime(0, start + NOTE_S);
    oscillator.connect(gain).connect(sound.destination);
    oscillator.start(start);
    oscillator.stop(start + NOTE_S);
  });
}

wipe();
connect();
