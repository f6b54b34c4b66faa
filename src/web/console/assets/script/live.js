"use strict";
// Makes the pages live. Every page is complete without it. The parts of the script share one scope.

const seconds = (ms) => Math.max(0, Math.round(ms / 1000));

// "2 giờ 5 phút", as the pages themselves say it.
function wait(ms) {
  const s = seconds(ms), d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
  if (d) return d + " ngày" + (h ? " " + h + " giờ" : "");
  if (h) return h + " giờ" + (m ? " " + m + " phút" : "");
  if (m) return m + " phút" + (m < 5 && s % 60 ? " " + (s % 60) + " giây" : "");
  return s + " giây";
}

// The station's clock, not the phone's: what is on air follows it.
let ahead = 0;

function tick() {
  if (document.body.classList.contains("lost")) return;
  const now = Date.now() + ahead;
  for (const bar of document.querySelectorAll("progress[data-since]")) {
    bar.value = Math.min(bar.max, seconds(now - bar.dataset.since));
  }
  for (const left of document.querySelectorAll("[data-countdown]")) {
    left.textContent = "còn " + wait(left.dataset.countdown - now);
  }
}

// What tells something in a part apart from what stands there for other items: where it leads, what it sends, what it opens.
const headed = (summary) => (summary?.querySelector("strong") ?? summary)?.textContent ?? "";
function mark(element) {
  const sent = [...(element.form?.elements ?? [])].filter((field) => field.type === "hidden" && field.name !== "key");
  const of = element.matches("summary") ? headed(element) : element.getAttribute("href") ?? element.getAttribute("aria-label") ?? element.textContent;
  const form = element.form ? [element.form.action, ...sent.map((field) => field.name + "=" + field.value), element.name, element.value] : [];
  return JSON.stringify([element.localName, of, ...form]);
}
const focusable = (part) => [...part.querySelectorAll("a[href], button, summary, [tabindex]")];

// What takes the place of something in a fresh part: of those that are the same, the one at the same place among them.
// Never another item's: who does not look would press it for the one that is gone.
const counterpart = (before, part) =>
  focusable(part).filter((other) => mark(other) === before.mark)[before.nth];
const placed = (part, element) => {
  const own = mark(element);
  return { mark: own, nth: focusable(part).filter((other) => mark(other) === own).indexOf(element) };
};

// Where the focus goes when its element is gone: to the head of the session it stood in, or of the part.
function fallBack(part, session) {
  const heads = session ? [...part.querySelectorAll("summary")].filter((summary) => mark(summary) === session) : [];
  const head = heads[0] ?? part.querySelector("h2") ?? document.getElementById("content");
  if (!head) return;
  if (!head.matches("summary, [tabindex]")) head.tabIndex = -1;
  head.focus({ preventScroll: true });
}

// A station that rests says something every five seconds. After a longer silence it is asked, for so long; what it does not
// answer then makes everything on the page old, until it answers again.
const silence = 8000, patience = 5000;
let heard = Date.now();

function age() {
  served = new WeakMap();
  document.body.classList.add("lost");
  for (const part of document.querySelectorAll("[data-when-lost]")) part.textContent = part.dataset.whenLost;
  for (const meter of document.querySelectorAll("[data-level]")) meter.value = meter.min;
}

function lose() {
  const note = document.getElementById("lost");
  if (!note?.hidden) return;
  note.hidden = false;
  age();
  const day = Date.now() - heard > 43200000 ? { day: "2-digit", month: "2-digit" } : {};
  note.querySelector("time").textContent = new Date(heard + ahead)
    .toLocaleString("vi", { hour: "2-digit", minute: "2-digit", timeZone: note.dataset.zone || undefined, ...day });
}

// What somebody has typed, chosen or sent stands on this page alone, and would go with it.
function holdsWork() {
  const chosen = (list) => [...list.options].findIndex((option) => option.defaultSelected);
  const differs = (field) => field.matches("select")
    ? field.selectedIndex !== Math.max(0, chosen(field))
    : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  return document.querySelector("#files li") || [...document.querySelectorAll("input, select, textarea")].some(differs);
}

// The login has ended. Where nothing would be lost, the station asks for it at once; else when the next button is pressed.
let ended = false;
function end() {
  if (!holdsWork()) return location.reload();
  ended = true;
  rest();
  age();
  document.getElementById("lost").hidden = true;
  const note = document.getElementById("ended"), files = !!document.getElementById("files");
  note.querySelector(".typed").hidden = files;
  note.querySelector(".files").hidden = !files;
  note.hidden = false;
}

function answered() {
  heard = Date.now();
  const note = document.getElementById("lost");
  if (note) note.hidden = true;
  document.body.classList.remove("lost");
  // Refused once, a browser does not ask for events again.
  if (events?.readyState === EventSource.CLOSED) { rest(); listen(); }
}

function watch() {
  if (document.visibilityState === "visible" && Date.now() - heard > silence) renew();
}

// This page as the station has it now; null where it does not answer.
async function ask() {
  // Phones of 2021 have no AbortSignal.timeout.
  const stop = new AbortController(), limit = setTimeout(() => stop.abort(), patience);
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: stop.signal });
    // What stands in the way of the station says so too.
    return answer.status < 500 ? { ok: answer.ok, moved: answer.redirected, text: await answer.text() } : null;
  } catch {
    return null;
  } finally {
    clearTimeout(limit);
  }
}

// Each part as the station gave it last. What it gives again stays as it is: put in anew, it would be read aloud anew.
let served = new WeakMap();
for (const part of document.querySelectorAll("[data-live]")) served.set(part, part.innerHTML);

// Asks for this page and puts its live parts in place; what a person holds open or has begun to fill in stays.
let renewing = false;
async function renew() {
  if (renewing || ended) return;
  renewing = true;
  try {
    const answer = await ask();
    if (!answer) return Date.now() - heard > silence ? lose() : undefined;
    if (answer.moved) return end();
    answered();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(answer.text, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      const focus = part.contains(document.activeElement) ? document.activeElement : null;
      const given = other?.innerHTML;
      if (!other || served.get(part) === given || focus?.matches("input, select, textarea")) continue;
      const before = focus && placed(part, focus);
      const session = focus?.closest("details")?.querySelector("summary");
      const within = session && mark(session);
      const open = [...part.querySelectorAll("details > summary")].map((summary) => [placed(part, summary), summary.parentElement.open]);
      part.replaceChildren(...other.childNodes);
      served.set(part, given);
      for (const [summary, was] of open) {
        const again = counterpart(summary, part);
        if (again) again.parentElement.open = was;
      }
      if (!focus) continue;
      const again = counterpart(before, part);
      // What stands in a closed session cannot have it.
      again?.focus({ preventScroll: true });
      if (!again || document.activeElement !== again) fallBack(part, within);
    }
    tick();
  } finally {
    renewing = false;
  }
}

// What happens on air, as it happens: levels at once, everything else when it changed. Only the page that somebody looks
// at listens: a browser has six connections to a station, and each listener holds one, also behind the scenes.
let events = null;
let last = "";

function hear(event) {
  heard = Date.now();
  const outputs = JSON.parse(event.data);
  ahead = Date.parse(outputs[0]?.at) - Date.now() || 0;
  for (const output of outputs) {
    const meter = document.querySelector(`[data-output="${CSS.escape(output.output)}"] [data-level]`);
    if (meter) meter.value = Math.max(meter.min, output.peak_dbfs);
  }
  const state = JSON.stringify(outputs.map((o) => [o.on_air, o.next, o.interrupts, o.up, o.clock, o.running]));
  if (last && state !== last) {
    renew();
    // What became of a cue is in the log a moment after it ended.
    setTimeout(renew, 2000);
  }
  last = state;
}

function listen() {
  if (events || ended || document.visibilityState === "hidden") return;
  events = new EventSource("/api/v1/events");
  events.addEventListener("status", hear);
  // Something is wrong with the station, or no more, though nothing on air changed.
  events.addEventListener("health", renew);
  // A station that listens to too many refuses: asked for at once, it would be asked without a pause.
  events.addEventListener("error", () => { if (events?.readyState !== EventSource.CLOSED) renew(); });
}

function rest() {
  events?.close();
  events = null;
}

if (document.querySelector("[data-live]")) {
  listen();
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? rest() : (listen(), renew())));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  setInterval(tick, 1000);
  setInterval(watch, 1000);
  setInterval(renew, 60000);
}
