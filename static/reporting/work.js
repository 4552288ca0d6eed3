// What keys and buttons ask for while a report is written.

import { t } from "../i18n.js";
import { chooseMacro, macrosOf } from "./macrodialog.js";
import { pick } from "./picker.js";
import { openPreview } from "./preview.js";
import { commandOf, showKeys } from "./reportkeys.js";
import { chooseTemplate } from "./templates.js";
import { Typing } from "./typing.js";

export class Work {
  constructor(desk) {
    this.desk = desk;
    this.known = [];
    this.macros = {};
    desk.element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** A report is open for writing. */
  begin() {
    this.typing = new Typing(this.desk.editor, { macros: () => this.macros, say: (shortcut) => this.desk.say(t("Macro {shortcut} written out", { shortcut })) });
    this.loaded = this.#loadMacros();
  }

  async #loadMacros() {
    this.keepMacros(await macrosOf(this.desk.ask).catch(() => []));
  }

  keepMacros(macros) {
    this.known = macros;
    // A reader's own macro goes before the site's of the same name.
    const ordered = [...macros].sort((a, b) => Number(a.mine) - Number(b.mine));
    this.macros = Object.fromEntries(ordered.map(({ shortcut, text }) => [shortcut, text]));
  }

  #key(event) {
    const command = commandOf(event);
    if (!command || event.defaultPrevented) return;
    if (command === "pictures" && !this.desk.host.pictures) return;
    event.preventDefault();
    event.stopPropagation();
    this.run(command);
  }

  run(command) {
    return COMMANDS[command]?.(this.desk, this);
  }
}

const writing = (act) => (desk, work) => (desk.state === "writing" && desk.editor ? act(desk, work) : undefined);

/** Puts one thing into the text and says so. */
function put(desk, offer) {
  if (!offer) return;
  desk.say(desk.editor.insert(offer));
}

async function newest(desk, kind) {
  const name = kind === "measurement" ? "newestMeasurement" : "newestKeyImage";
  await desk.evidence.load();
  const found = desk.evidence[name];
  if (!found) return desk.say(kind === "measurement" ? t("Nothing is measured in this study yet.") : t("No picture of this study is a key image yet."));
  return put(desk, { kind, uid: found.uid, words: found.words });
}

async function choose(desk) {
  desk.evidence.load();
  const offer = await pick(desk.evidence, desk.icon);
  const row = desk.editor?.target;
  if (row?.text) row.text.area.focus({ preventScroll: true });
  put(desk, offer);
}

/** The list of macros, or at once a new one of what is selected. */
async function macro(desk, work, making = false) {
  const row = desk.editor.target;
  const { selectionStart: start, selectionEnd: end, value = "" } = row?.text?.area ?? {};
  const selected = value.slice(start, end);
  if (making && !selected.trim()) return desk.say(t("Select the text of the macro first."));
  await work.loaded;
  const chosen = await chooseMacro({ ask: desk.ask, me: desk.me, icon: desk.icon, macros: work.known, selected, making, changed: (macros) => work.keepMacros(macros) });
  if (!row?.text || !desk.editor) return undefined;
  row.text.area.focus({ preventScroll: true });
  return chosen ? work.typing.write(row, start, end, chosen.text, chosen.shortcut) : undefined;
}

async function template(desk) {
  const chosen = await chooseTemplate({ ask: desk.ask, study: { ...desk.host.study, organization: desk.report.organization }, now: desk.report.template, icon: desk.icon });
  if (!chosen || chosen.id === desk.report.template.id) return desk.editor?.focus();
  if (!(await desk.saver.flush())) return desk.say(t("Not everything is saved; the template stays."));
  try {
    await desk.ask(`/api/reports/${desk.report.id}/`, { method: "PUT", body: { ...desk.saver.body({ content: {}, fills: {} }), template: chosen.id } });
    await desk.open();
    desk.say(t("The report is written in {template} now.", { template: chosen.title }));
  } catch (problem) {
    desk.notices.set("template", { text: problem.body?.detail || problem.message, tone: "trouble" });
  }
  return desk.editor?.focus();
}

const COMMANDS = {
  "next-field": writing((desk) => desk.editor.step(1)),
  "previous-field": writing((desk) => desk.editor.step(-1)),
  "next-place": writing((desk) => desk.editor.place()),
  "previous-place": writing((desk) => desk.editor.place(true)),
  "newest-measurement": writing((desk) => newest(desk, "measurement")),
  "newest-key-image": writing((desk) => newest(desk, "key_image")),
  pick: writing(choose),
  macros: writing(macro),
  "new-macro": writing((desk, work) => macro(desk, work, true)),
  template: writing(template),
  "show-link": writing((desk) => {
    const link = desk.editor.current?.text?.linkHere;
    return link ? desk.show(link) : desk.say(t("The caret is on no link."));
  }),
  save: writing(async (desk) => desk.say((await desk.saver.flush()) ? t("Saved.") : t("Not saved yet."))),
  sign: writing((desk) => desk.signing.open()),
  preview: async (desk) => {
    if (desk.state === "writing") await desk.saver.flush();
    openPreview(desk.report.id, desk.ask, desk.icon);
  },
  critical: (desk) => desk.criticals?.record(),
  keys: (desk) => showKeys(desk.icon),
  "own-window": (desk) => desk.host.ownWindow?.(desk.report.id),
  pictures: (desk) => desk.host.pictures?.(),
};
