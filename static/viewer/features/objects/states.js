// Presentation states of the series that is shown, and overlays of its images: which of them the picture is drawn with.

import { t } from "../../../i18n.js";

/** Rows of a menu or a list: [{label, detail, checked, part}], `part` the change of the View. Empty where there are none. */
export function stateRows(viewport) {
  const states = viewport?.opened?.presentation_states ?? [];
  if (!states.length) return [];
  const now = viewport.wish.presentation_state ?? null;
  const row = (uid, label, detail = "") => ({ label, detail, checked: now === uid, part: { presentation_state: uid } });
  return [row(null, t("As stored, without a state")), ...states.map(({ sop_instance_uid: uid, label, description }) => row(uid, label || description || t("Presentation state"), label && description !== label ? description : ""))];
}

/** The same of overlays (60xx): each is on or off. */
export function overlayRows(viewport) {
  const { opened, wish } = viewport ?? {};
  const planes = overlaysOf(opened, wish);
  const on = wish?.overlays ?? [];
  const named = planes.map(({ group }) => group);
  const now = on === "all" ? named : on;
  return planes.map(({ group, label, description }) => {
    const checked = now.includes(group);
    const name = label || description;
    return { label: name || t("Overlay {group}", { group }), detail: name ? group : "", checked, part: { overlays: checked ? now.filter((one) => one !== group) : [...now, group] } };
  });
}

/** [{group, label, description}] of the stack that is shown. */
const overlaysOf = (opened, wish) => opened?.stacks?.find(({ stack }) => stack === (wish?.stack ?? 0))?.overlays ?? [];
