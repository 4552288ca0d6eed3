// The layout menu: rows and columns, the stages of the protocol, the prior, and other protocols.

import { t, told } from "../../../i18n.js";
import { addPicker } from "./picker.js";

/** Fills the menu. @param page {workbench, stages, compare, key(command, argument), icon(name)} */
export function fillLayoutMenu(menu, { workbench, stages, compare, key }) {
  const { hanging, pages, index } = stages;
  menu.heading(t("Layout"));
  addPicker(menu, workbench.layout.name, (name) => workbench.run("layout", name));
  const protocol = hanging?.protocol;
  if (protocol) {
    menu.heading(t("Hanging protocol: {name}", { name: told(protocol.name) }));
    menu.note(protocol.chosen ? t("your choice for this kind of study") : told(protocol.reason));
    pages.forEach((page, at) => {
      const next = at === (index + 1) % pages.length && pages.length > 1;
      menu.item({ label: told(page.name), detail: page.layout.replace("x", "×"), key: next ? key("stage", 1) : "", checked: at === index, run: () => workbench.run("show-stage", at) });
    });
    for (const { name, reason } of hanging.skipped) menu.note(t("{stage} is left out: {reason}", { stage: told(name), reason: told(reason) }));
    for (const text of stages.stage?.missing ?? []) menu.note(told(text));
  }
  menu.heading(t("Prior"));
  if (hanging?.priors.length) menu.item({ label: t("Current beside prior"), key: key("prior", undefined), checked: compare.on, run: () => workbench.run("prior") });
  else menu.note(t("There is no earlier study of this patient to compare with."));
  if (hanging?.others.length) {
    menu.heading(t("Other protocols"));
    if (protocol?.chosen) menu.item({ label: t("The one that suits best"), run: () => workbench.run("protocol", null) });
    for (const other of hanging.others) menu.item({ label: told(other.name), detail: told(other.reason), run: () => workbench.run("protocol", other.id) });
  }
  if (hanging?.may_save) menu.item({ label: t("Save this layout as a protocol…"), run: () => workbench.run("save-protocol") });
}
