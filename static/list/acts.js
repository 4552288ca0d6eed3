// What can be done with a study of the list beside opening it: a row of the table each.

import { correctAddress, mayCorrect } from "../corrections/way.js";
import { t } from "../i18n.js";

/** [words, icon, may(study), run(study)] */
const ACTS = [[t("Correct this study"), "wrench", mayCorrect, (study) => location.assign(correctAddress(study))]];

export const possible = (study) => ACTS.filter(([, , may]) => may(study));
