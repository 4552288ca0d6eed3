// Taking away what is shown: the study, the picture, or the stack as a video.

import { exportDialog } from "../../exports/dialog.js";
import { t } from "../../i18n.js";
import { remark } from "./remark.js";

/** Hangs this feature into the page. */
export function install(workbench) {
  const label = t("Export");
  workbench.command("export", () => open(workbench), () => label);
  workbench.toolbar.addMore("export", label, "download");
}

async function open(workbench) {
  const { study, organization } = workbench.page;
  try {
    await exportDialog({ study_instance_uid: study, organization }, shownIn(workbench.active));
  } catch (problem) {
    remark(workbench.active, problem.message, { trouble: true });
  }
}

/** What the pane shows by now; null where it shows no picture. */
function shownIn(viewport) {
  const { source, header } = viewport;
  if (!source?.stack || !header) return null;
  const { view } = header;
  const asAcquired = (view.plane ?? "acquired") === "acquired" && (view.projection ?? "slice") === "slice";
  return { series: source.series.series_instance_uid, view, frames: asAcquired ? viewport.stackFrames : 1 };
}
