// The page of links that somebody made: Withdraw, or Delete on a link, ends it.

import { openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";

async function withdraw(card) {
  const who = card.querySelector("strong").textContent;
  const done = await openForm({
    title: t("Withdraw this link"),
    lead: t("{who} is out within seconds, and the link opens nothing any more.", { who }),
    go: t("Withdraw"),
    danger: true,
    send: () => rest(`/api/share-links/${card.dataset.link}/`, { method: "DELETE" }),
  });
  if (done) location.reload();
}

for (const card of document.querySelectorAll("[data-link]")) {
  const button = card.querySelector("[data-revoke]");
  if (!button) continue;
  button.addEventListener("click", () => withdraw(card));
  card.addEventListener("keydown", (event) => {
    if (event.target === card && event.key === "Delete") withdraw(card);
  });
}
