// What can be done with a study of the list beside opening it: a row of the table each.

import { correctAddress, mayCorrect } from "../corrections/way.js";
import { t } from "../i18n.js";

const maySend = () => document.body.dataset.sends === "yes";
const send = async (study) => (await import("../transfers/dialogs.js")).sendDialog(study);

const exporting = async (study) => (await import("../exports/dialog.js")).exportDialog(study);

const sharing = async (study) => (await import("../share/dialog.js")).shareDialog(study);

const mayLookUp = ({ organization }) => (document.body.dataset.looksUp ?? "").split(" ").includes(organization);
const whoLooked = ({ study_instance_uid, organization }) => `/admin/accounts/auditevent/who-looked/?${new URLSearchParams({ study_instance_uid, organization })}`;

/** [words, icon, may(study), run(study)] */
const ACTS = [
  [t("Send to another archive"), "send", maySend, send],
  [t("Export"), "download", () => true, exporting],
  [t("Share by a link"), "share-2", maySend, sharing],
  [t("Correct this study"), "wrench", mayCorrect, (study) => location.assign(correctAddress(study))],
  [t("Who looked"), "eye", mayLookUp, (study) => location.assign(whoLooked(study))],
];

export const possible = (study) => ACTS.filter(([, , may]) => may(study));
