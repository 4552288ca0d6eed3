// What a pane says while it shows no picture: empty, opening, not drawn, failed. Imports only words.

import { t, told } from "../i18n.js";

const NOTICE_AFTER = 250;
const NUMBER_AFTER = 1000;

export class Notice {
  constructor(viewport) {
    this.viewport = viewport;
    this.element = document.createElement("div");
    this.element.className = "notice";
    viewport.stage.append(this.element);
    this.timer = null;
  }

  /** Says what belongs to a state of the viewport; nothing while a picture is shown. */
  show(state) {
    clearTimeout(this.timer);
    this.element.hidden = state === "shown";
    SAYINGS[state]?.(this, this.viewport);
  }

  say(icon, title, texts = [], buttons = []) {
    const parts = icon ? [this.viewport.desk.icon(icon)] : [];
    if (title) parts.push(Object.assign(document.createElement("strong"), { textContent: title }));
    for (const text of texts.filter(Boolean)) parts.push(Object.assign(document.createElement("p"), { textContent: text }));
    for (const [label, run] of buttons) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      button.addEventListener("click", run);
      parts.push(button);
    }
    this.element.replaceChildren(...parts);
  }

  again(after) {
    this.timer = setTimeout(() => this.show(this.viewport.state), after);
  }
}

function empty(notice) {
  notice.say("square-mouse-pointer", t("Empty viewport"), [t("Drag a series here, or make this viewport active and choose a series.")]);
}

function withheld(notice, viewport) {
  notice.say("eye-off", t("Not shown to you"), [viewport.reason]);
}

/** Nothing for what takes a moment; after a second a number and a way out. */
function opening(notice, viewport) {
  const passed = performance.now() - viewport.since;
  if (passed < NOTICE_AFTER) {
    notice.say(null, "");
    notice.again(NOTICE_AFTER);
    return;
  }
  const { series } = viewport.source;
  const name = [series.modality, series.description].filter(Boolean).join(" ") || t("the series");
  const { total, done } = viewport.progress ?? {};
  const texts = [
    viewport.desk.connection.state === "open" ? "" : t("Waiting for the connection."),
    [passed >= NUMBER_AFTER ? `${Math.floor(passed / 1000)} s` : "", total ? `${Math.round((100 * done) / total)} %` : ""].filter(Boolean).join(", "),
  ];
  notice.say(null, t("Opening {name}", { name }), texts, passed >= NUMBER_AFTER ? [[t("Cancel"), () => viewport.close()]] : []);
  notice.again(500);
}

/** A series without pictures: a report or a document opens from here, anything else says why it is not shown. */
function notDrawn(notice, viewport) {
  const document = viewport.desk.documentOf(viewport.source.series.series_instance_uid);
  if (document) {
    notice.say(document.icon, document.label, [t("This series holds no pictures.")], [[t("Open"), document.open]]);
    return;
  }
  notice.say("file-x", t("This series cannot be shown"), [told(viewport.source.series.not_drawn), t("It is stored unchanged with the study.")]);
}

function failed(notice, viewport) {
  const { title, detail, advice, retry } = viewport.problem;
  const which = viewport.opened && viewport.frames > 1 ? t("Image {n} of {all}", { n: viewport.frame + 1, all: viewport.frames }) : "";
  notice.say("circle-alert", title, [which, detail, advice], retry ? [[t("Try again"), () => viewport.retry()]] : []);
}

const SAYINGS = { empty, opening, "not-drawn": notDrawn, failed, withheld };
