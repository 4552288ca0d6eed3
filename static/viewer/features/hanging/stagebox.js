// The small text at the foot of the strip: which protocol the study hangs by, which stage is up, and the way to the next one.

import { t, told } from "../../../i18n.js";
import { make } from "../../menu.js";

/** Puts the box into the strip; `show(stages)` writes it anew. */
export function makeStageBox(workbench, { run, keys }) {
  const strip = workbench.thumbnails.element.closest(".strip");
  const box = make("div", "stagebox", strip, { role: "group", "aria-label": t("Hanging protocol") });
  const name = make("p", "protocol", box);
  const row = make("div", "steps", box);
  const back = make("button", "tool", row, { type: "button" });
  const text = make("span", "stagename", row, { role: "status" });
  const next = make("button", "tool", row, { type: "button" });
  for (const [button, by, label] of [[back, -1, t("Stage before")], [next, 1, t("Next stage")]]) {
    const key = keys(by);
    button.append(workbench.icon(by < 0 ? "chevron-left" : "chevron-right"));
    button.title = key ? `${label} (${key})` : label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => run(by));
  }
  return (stages) => {
    const { hanging, pages, index, stage } = stages;
    box.hidden = !stage;
    if (!stage) return;
    name.textContent = told(hanging.protocol.name);
    name.title = hanging.protocol.chosen ? t("your choice") : told(hanging.protocol.reason);
    text.textContent = pages.length > 1 ? `${index + 1}/${pages.length} ${told(stage.name)}` : told(stage.name);
    text.title = [stage.name, ...stage.missing].map(told).join("\n");
    for (const button of [back, next]) button.hidden = pages.length < 2;
  };
}
