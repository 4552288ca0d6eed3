// The usual questions to the worklist.

import { t } from "../i18n.js";

/** [tab, words]; the server counts the items of all but those that are done. */
export const TABS = [
  ["unread", t("To read")],
  ["mine", t("Mine")],
  ["cosign", t("Preliminary")],
  ["quality", t("Quality control")],
  ["scheduled", t("Scheduled")],
  ["done", t("Done")],
];
