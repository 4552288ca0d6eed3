// For administrators, on every page: somebody has just opened a study in an emergency.

import { t } from "../i18n.js";
import { listenToNews } from "../news.js";
import { make } from "../viewer/menu.js";

listenToNews((news) => {
  if (news.type === "emergency.opened") show(news.emergency);
});

function show(number) {
  document.querySelector(".emergency-notice")?.remove();
  const notice = make("div", "emergency-notice", document.body, { role: "alert" });
  make("strong", "", notice).textContent = t("A study was opened in an emergency.");
  make("a", "", notice, { href: `/admin/viewer/emergencyaccess/${Number(number)}/change/` }).textContent = t("Look at it");
  const away = make("button", "", notice, { type: "button" });
  away.textContent = t("Close");
  away.addEventListener("click", () => notice.remove());
}
