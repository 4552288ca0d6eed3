// The way from the images to the page that puts a study right, for whoever may go there.

import { correctAddress, mayCorrect } from "../../corrections/way.js";
import { t } from "../../i18n.js";

/** Hangs this feature into the page. */
export function install(workbench) {
  if (!mayCorrect(workbench.page)) return;
  const label = t("Correct this study");
  const { study, organization } = workbench.page;
  workbench.command("correct-study", () => location.assign(correctAddress({ study_instance_uid: study, organization })), () => label);
  workbench.toolbar.addMore("correct-study", label, "wrench");
}
