// Readers' pages without a connection: the last copy of the loans and the card, and a page that says what is missing.
// The server writes `const SHELL = [...]` above: the page for want of a connection, and the files that kept pages need.

const FRAME = `carrel-frame-${SHELL.join()}`;
const MINE = "carrel-mine"; // of one person: deleted when anybody signs in or out
const KEPT = ["/my/loans", "/my/card"];
const READERS = /^\/(my|search|titles|news|suggestions|feedback)(\/|$)/;
const AWAY = [502, 503, 504];

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && ["/sign-in", "/sign-out"].includes(url.pathname)) event.respondWith(anew(request));
  else if (request.method !== "GET") return;
  else if (url.pathname.startsWith("/static/")) event.respondWith(fileOf(request));
  else if (request.mode === "navigate" && READERS.test(url.pathname)) event.respondWith(pageOf(event, url));
});

async function install() {
  await (await caches.open(FRAME)).addAll(SHELL);
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) if (![FRAME, MINE].includes(name)) await caches.delete(name);
  await self.clients.claim();
}

// The address of a file holds the hash of its content, so a copy is never old.
async function fileOf(request) {
  return (await caches.match(request, { cacheName: FRAME })) ?? fetch(request);
}

async function anew(request) {
  await caches.delete(MINE);
  return fetch(request).catch(unconnected);
}

async function pageOf(event, url) {
  const card = url.searchParams.get("card");
  const address = KEPT.includes(url.pathname) ? url.pathname + (card ? `?card=${encodeURIComponent(card)}` : "") : null;
  let answer;
  try {
    answer = await fetch(event.request);
  } catch {
    return copyOf(address);
  }
  if (AWAY.includes(answer.status)) return copyOf(address);
  if (address && answer.status === 200) event.waitUntil(keep(address, answer.clone()));
  else if (address && [0, 401, 403].includes(answer.status)) event.waitUntil(caches.delete(MINE)); // 0: led to the sign-in
  return answer;
}

async function copyOf(address) {
  return (address && (await caches.match(address, { cacheName: MINE }))) || unconnected();
}

async function unconnected() {
  return (await caches.match("/offline", { cacheName: MINE })) ?? caches.match("/offline");
}

// Who looks at the loans has the card with them too, and the page for want of a connection in their language.
async function keep(address, answer) {
  const mine = await caches.open(MINE);
  await mine.put(address, await marked(answer));
  for (const other of ["/my/card", "/offline"].filter((one) => one !== address)) {
    const found = await fetch(other, { redirect: "manual" });
    if (found.status === 200) await mine.put(other, await marked(found));
  }
}

// A copy says that it is one: reader.css shows `.when-offline` and hides `.when-online`.
async function marked(answer) {
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Set-Cookie"]) headers.delete(name);
  return new Response((await answer.text()).replace("<html ", "<html data-offline "), { headers });
}
