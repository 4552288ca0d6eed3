// The signed versions of a report, on demand: what was signed when and by whom, and whether its pictures would be drawn alike today.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

const KINDS = {
  preliminary: () => t("signed as preliminary"),
  submit: () => t("sent to be co-signed"),
  final: () => t("signed as final"),
  cosign: () => t("co-signed"),
  return: () => t("returned"),
  addendum: () => t("addendum"),
  correct: () => t("correction"),
  cancel: () => t("cancelled"),
  error: () => t("entered in error"),
};
const MEANINGS = {
  author: () => t("as author"),
  reader: () => t("as one of two readers"),
  "co-signer": () => t("as co-signer"),
  verified: () => t("verified"),
};
const SHORT = 12;
const moment = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

export class History {
  constructor(element, desk) {
    Object.assign(this, { element, desk });
    make("summary", "", element).textContent = t("Signed versions");
    this.body = make("div", "", element);
    element.addEventListener("toggle", () => element.open && this.#load());
  }

  get #address() {
    return `/api/reports/${this.desk.report.id}`;
  }

  async #load() {
    try {
      const { versions } = await this.desk.ask(`${this.#address}/versions/`);
      this.#draw(versions.filter(({ signature }) => signature));
    } catch (problem) {
      this.body.replaceChildren();
      make("p", "wrong", this.body, { role: "alert" }).textContent = problem.message;
    }
  }

  #draw(versions) {
    this.body.replaceChildren();
    const list = make("ol", "versions", this.body);
    for (const { version, kind, signature, at, author, hash, reason } of versions) {
      const item = make("li", "", list, { "data-version": String(version), "data-kind": kind });
      make("strong", "", item).textContent = t("Version {version}", { version });
      const means = MEANINGS[signature.meaning]?.();
      make("span", "", item).textContent = [KINDS[kind]?.() ?? kind, means].filter(Boolean).join(", ");
      make("span", "", item).textContent = `${signature.name || author}, ${moment(at)}`;
      if (reason) make("q", "", item).textContent = reason;
      make("code", "quiet", item, { title: t("Whole seal: {hash}", { hash }) }).textContent = t("Seal {hash}", { hash: hash.slice(0, SHORT) });
    }
    const button = make("button", "", this.body, { type: "button" });
    button.textContent = t("Compare its pictures with today's drawing");
    const told = make("div", "", this.body, { role: "status" });
    button.addEventListener("click", () => this.#compare(button, told));
  }

  async #compare(button, told) {
    button.disabled = true;
    told.textContent = t("Drawing…");
    try {
      const { evidence } = await this.desk.ask(`${this.#address}/evidence/?check=1`);
      told.replaceChildren(...compared(evidence));
    } catch (problem) {
      told.textContent = problem.message;
    }
    button.disabled = false;
  }
}

/** What the comparison found, in words. */
function compared(evidence) {
  const said = (text) => Object.assign(make("p", ""), { textContent: text });
  if (!evidence.length) return [said(t("No pictures were signed with this text."))];
  const rejected = evidence.filter(({ withdrawn }) => withdrawn);
  const others = evidence.filter(({ withdrawn }) => !withdrawn);
  const other = others.filter(({ draws_the_same: same }) => same === false);
  const gone = others.filter(({ draws_the_same: same }) => same === null);
  const alike = others.length - other.length - gone.length;
  return [
    ...(alike ? [said(t("Drawn alike today, to the pixel: {n} of {all}.", { n: alike, all: evidence.length }))] : []),
    ...(rejected.length ? [said(t("Images of these were rejected since; what was signed is kept:")), pictures(rejected)] : []),
    ...(other.length ? [said(t("These would be drawn differently today; what was signed is what is kept:")), pictures(other)] : []),
    ...(gone.length ? [said(t("The images of these cannot be drawn any more; what was signed is kept:")), pictures(gone)] : []),
  ];
}

function pictures(rows) {
  const list = make("ul", "compared");
  for (const { caption, position, picture } of rows) {
    const link = make("a", "", make("li", "", list), { href: picture, target: "_blank", rel: "noopener" });
    link.textContent = caption || t("Picture {n}", { n: position });
  }
  return list;
}
