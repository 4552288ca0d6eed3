// A dialog over the panes for what needs room: a wide report, a PDF, a video. The patient's name stands in it, as everywhere.

import { t } from "../../../i18n.js";
import { personName } from "../../../text.js";
import { make } from "../../menu.js";

/** Opens it and returns its body. @param actions elements beside the closing button */
export function openDialog(workbench, title, actions = []) {
  const dialog = make("dialog", "object-view", document.body, { "aria-labelledby": "object-view-title" });
  const head = make("header", "", dialog);
  const words = make("div", "", head);
  make("h2", "", words, { id: "object-view-title" }).textContent = title;
  make("p", "quiet", words).textContent = personName(workbench.study.patient?.name);
  const close = make("button", "tool", null, { type: "button", "aria-label": t("Close"), title: t("Close") });
  close.append(workbench.icon("x"));
  close.addEventListener("click", () => dialog.close());
  head.append(...actions, close);
  const body = make("div", "body", dialog);
  dialog.addEventListener("close", () => {
    dialog.remove(); // a video stops with it
    workbench.active.element.focus({ preventScroll: true });
  });
  dialog.showModal();
  return body;
}
