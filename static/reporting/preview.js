// The report as it will be read, in a sheet over the page. What the server draws is taken as a text of elements, nothing that runs.

import { dialogOf } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

const NEVER = "script, style, link, meta, base, iframe, object, embed, form, input, button, textarea, select, template";

/** The elements of a server's HTML, without anything that could act. */
export function harmless(html) {
  const { body } = new DOMParser().parseFromString(String(html ?? ""), "text/html");
  for (const element of body.querySelectorAll(NEVER)) element.remove();
  for (const element of body.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      const address = ["href", "src", "xlink:href"].includes(name);
      const fine = !address || /^(\/(?!\/)|#|data:image\/(png|jpeg|gif|webp)[;,])/i.test(value.trim()) || value.startsWith(`${location.origin}/`);
      if (name.startsWith("on") || name === "style" || name === "srcset" || !fine) element.removeAttribute(name);
    }
  }
  return [...body.childNodes].map((node) => document.importNode(node, true));
}

/** Puts the preview of a report into an element. */
export async function fillPreview(element, report, ask) {
  element.setAttribute("aria-busy", "true");
  try {
    const { html } = await ask(`/api/reports/${report}/preview/`);
    element.replaceChildren(...harmless(html));
  } catch (problem) {
    make("p", "note danger", element, { role: "alert" }).textContent = t("The preview could not be drawn. {why}", { why: problem.message });
  }
  element.removeAttribute("aria-busy");
}

/** Opens it as a sheet. */
export function openPreview(report, ask, icon) {
  const dialog = dialogOf({ title: t("As it will be read"), className: "preview", icon });
  const body = make("article", "report-sheet", dialog, { tabindex: "0" });
  make("p", "quiet", body).textContent = t("Drawing…");
  dialog.showModal();
  fillPreview(body, report, ask).then(() => body.querySelector(".quiet:only-child")?.remove());
  body.focus();
}
