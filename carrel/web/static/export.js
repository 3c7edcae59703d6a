// "Download CSV" on a room's page: asks for a file of the span that is shown, waits until it is made, then fetches it.

const RESOLUTIONS = { "1h": "raw", "24h": "5min", "7d": "5min", "30d": "1h", "1y": "1h" };
const DERIVED = ["dew_point"]; // computed from means, so there are no raw values of it
const ASK_EVERY_MS = 1000;

const section = document.querySelector("[data-course]");
const button = section.querySelector("[data-export]");
const told = section.querySelector("[data-export-state]");
const metrics = [...section.querySelectorAll("[data-chart]")].map((figure) => figure.dataset.chart);

button.hidden = false;
button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    const file = await made(wanted(JSON.parse(section.dataset.shown)), (percent) => {
      told.textContent = told.dataset.busy.replace("{percent}", `${Math.floor(percent)} %`);
    });
    told.textContent = told.dataset.done;
    location.assign(file);
  } catch {
    told.textContent = told.dataset.failed;
  }
  button.disabled = false;
});

function wanted({ span, start, end }) {
  const resolution = RESOLUTIONS[span];
  return {
    rooms: [section.dataset.course],
    metrics: metrics.filter((metric) => resolution !== "raw" || !DERIVED.includes(metric)),
    from: new Date(start * 1000).toISOString(),
    to: new Date(end * 1000).toISOString(),
    resolution,
    excel: true,
  };
}

// The address of the finished file.
async function made(wanted, progress) {
  let state = await ask("/api/v1/exports", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted),
  });
  while (!state.file) {
    if (state.state === "failed") throw new Error(state.code);
    progress(state.done_pct);
    await new Promise((wake) => setTimeout(wake, ASK_EVERY_MS));
    state = await ask(`/api/v1/exports/${state.id}`);
  }
  return state.file;
}

async function ask(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}
