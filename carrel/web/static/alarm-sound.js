// While a siren sounds ([data-loud] names its alarm), staff's pages do too; of several open ones, one.
//
// A browser lets a page sound only once somebody has touched it. [data-alarm-sound] says how it stands: off, on or sounding;
// pressed, it turns the sound on or off, or silences the alarm that sounds, in this browser alone.

import { read, write } from "./kept.js";

const EVERY_MS = 1500;
const NOTES = [880, 660];
const NOTE_S = 0.4;
const LOUDNESS = 0.25;
const OFF = "carrel_alarm_sound_off";
const SILENCED = "carrel_alarms_silenced"; // ids
const SOUNDING = "carrel_alarm_sounding"; // which page, and when it last did
const KEPT_IDS = 20;

const button = document.querySelector("[data-alarm-sound]");
const word = button.querySelector(".word");
const me = Math.random().toString(36);
const heard = new Set(); // alarms that have been loud on this page
let sound = null;

const silenced = () => read("localStorage", SILENCED, []);
const wanted = () => !read("localStorage", OFF, 0);
const allowed = () => sound?.state === "running" || navigator.userActivation?.hasBeenActive;

function tick() {
  const loud = [...document.querySelectorAll("[data-loud]")].map((alarm) => alarm.dataset.loud);
  const over = [...heard].filter((id) => !loud.includes(id)); // should its siren sound again, that is new
  if (over.length) keepSilenced(silenced().filter((id) => !over.includes(id)));
  for (const id of over) heard.delete(id);
  for (const id of loud) heard.add(id);

  const quiet = silenced();
  const sounding = wanted() && loud.some((id) => !quiet.includes(id));
  if (sounding && isMyTurn()) play();
  show(!wanted() || !allowed() ? "off" : sounding ? "sounding" : "on");
}

function show(state) {
  if (button.dataset.state === state) return;
  button.dataset.state = state;
  word.textContent = button.dataset[state];
  button.title = button.dataset[`${state}Hint`];
}

function press() {
  if (button.dataset.state === "sounding") keepSilenced([...silenced(), ...heard]);
  else if (button.dataset.state === "on") write("localStorage", OFF, 1);
  else {
    write("localStorage", OFF, null);
    play(); // so that one knows what it is like, and how loud
  }
  tick();
}

function keepSilenced(ids) {
  write("localStorage", SILENCED, [...new Set(ids)].slice(-KEPT_IDS));
}

function isMyTurn() {
  const [who, when] = read("localStorage", SOUNDING, ["", 0]);
  if (who !== me && Date.now() - when < 2 * EVERY_MS) return false;
  write("localStorage", SOUNDING, [me, Date.now()]);
  return true;
}

function play() {
  sound ??= new AudioContext();
  if (sound.state === "suspended") sound.resume();
  if (sound.state !== "running" && !navigator.userActivation?.hasBeenActive) return; // what waits would sound all at once later
  NOTES.forEach((frequency, i) => {
    const start = sound.currentTime + i * NOTE_S;
    const oscillator = new OscillatorNode(sound, { type: "triangle", frequency });
    const gain = new GainNode(sound, { gain: 0 });
    gain.gain.setTargetAtTime(LOUDNESS, start, 0.01);
    gain.gain.setTargetAtTime(0, start + NOTE_S * 0.8, 0.02);
    oscillator.connect(gain).connect(sound.destination);
    oscillator.start(start);
    oscillator.stop(start + NOTE_S);
  });
}

button.hidden = false;
button.addEventListener("click", press);
for (const touch of ["pointerup", "keydown"]) document.addEventListener(touch, () => setTimeout(tick), { once: true });
setInterval(tick, EVERY_MS);
tick();
