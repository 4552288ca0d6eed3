// Opening the study that is shown to somebody without an account.

import { shareDialog } from "../../share/dialog.js";
import { t } from "../../i18n.js";
import { remark } from "./remark.js";

/** Hangs this feature into the page. */
export function install(workbench) {
  const label = t("Share by a link");
  const { study, organization } = workbench.page;
  workbench.command("share", () => shareDialog({ study_instance_uid: study, organization }).catch((problem) => remark(workbench.active, problem.message, { trouble: true })), () => label);
  workbench.toolbar.addMore("share", label, "share-2");
}
