// Two windows with two patients: each gets a band of another colour and a letter, on both, so that nobody writes in the wrong one.

import { t } from "../i18n.js";

const NAME = "farview.patients";
const LETTERS = "ABCD";
const PATIENCE = 1500;
const AGAIN = 15000;

/** The places of patients among those that are open, by when their first window was opened: {key: 0, 1, ...}; none for one alone. */
export function places(windows) {
  const first = new Map();
  for (const { patient, since } of windows) first.set(patient, Math.min(first.get(patient) ?? Infinity, since));
  if (first.size < 2) return new Map();
  const order = [...first].sort(([a, at], [b, bt]) => at - bt || (a < b ? -1 : 1));
  return new Map(order.map(([key], index) => [key, index]));
}

/** Marks `header` with the colour of its patient for as long as another patient is open in another window.
 *  @param patient a text that names the patient and nobody else */
export function watchPatients(header, patient, now = () => Date.now()) {
  const me = crypto.randomUUID();
  const since = performance.timeOrigin;
  const known = new Map([[me, { patient, since }]]);
  const channel = new BroadcastChannel(NAME);
  const say = (kind) => channel.postMessage({ kind, window: me, patient, since });

  function draw() {
    const place = places([...known.values()]).get(patient);
    let letter = header.querySelector(".patient-letter");
    if (place === undefined) {
      letter?.remove();
      delete header.dataset.patientColour;
      return;
    }
    if (!letter) {
      letter = document.createElement("span");
      letter.className = "patient-letter";
      header.querySelector("h1")?.before(letter);
    }
    header.dataset.patientColour = String(place % LETTERS.length);
    letter.textContent = LETTERS[place % LETTERS.length];
    letter.title = t("Another patient is open in another window. This colour and letter stand for this patient.");
    letter.setAttribute("role", "img");
    letter.setAttribute("aria-label", t("Patient {letter}: another patient is open in another window", { letter: letter.textContent }));
  }

  /** Who does not answer is gone. */
  function ask() {
    const asked = now();
    say("who");
    setTimeout(() => {
      for (const [window, { heard }] of known) if (window !== me && !(heard >= asked)) known.delete(window);
      draw();
    }, PATIENCE);
  }

  channel.addEventListener("message", ({ data }) => {
    if (data.kind === "gone") known.delete(data.window);
    else known.set(data.window, { patient: data.patient, since: data.since, heard: now() });
    if (data.kind === "who") say("here");
    draw();
  });
  addEventListener("pagehide", () => say("gone"));
  addEventListener("pageshow", ({ persisted }) => persisted && ask());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  setInterval(() => known.size > 1 && ask(), AGAIN);
  ask();
}
