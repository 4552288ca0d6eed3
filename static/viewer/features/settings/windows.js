// Two windows of one reader, on two screens, that stay on the same study. They know each other by a name in their session
// storage, which a window gets from the one that opened it and from nowhere else.

import { t } from "../../../i18n.js";

const NAME = "farview.desk";

/** Opens this study in another window; from then on the two follow each other. */
export function openSecondWindow(workbench) {
  if (!sessionStorage.getItem(NAME)) sessionStorage.setItem(NAME, crypto.randomUUID());
  const opened = window.open(location.href, "_blank", "popup");
  if (!opened) {
    workbench.say(t("The browser did not open a window. Allow pop-ups for this site, then try again."));
    return;
  }
  followStudies(workbench);
}

let channel = null;

/** Tells the other windows of this desk which study this one shows, and goes where they go. */
export function followStudies({ page, say }) {
  const desk = sessionStorage.getItem(NAME);
  if (!desk || channel) return;
  channel = new BroadcastChannel(`${NAME}.${desk}`);
  channel.addEventListener("message", ({ data }) => {
    if (data?.study === page.study && data.organization === page.organization) return;
    say(t("The other window opened another study."));
    location.assign(`/studies/${encodeURIComponent(data.study)}/?organization=${encodeURIComponent(data.organization)}`);
  });
  channel.postMessage({ study: page.study, organization: page.organization });
}
