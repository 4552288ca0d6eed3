// Opens a study or a report to somebody without an account: asks for whom and how long, then tells the address, once.

import { dialogOf, openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { rest, studyDoor } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";

const DAYS = [
  ["1", t("1 day")],
  ["3", t("3 days")],
  ["7", t("7 days")],
  ["14", t("14 days")],
  ["30", t("30 days")],
];
const USES = [
  ["", t("as often as needed")],
  ["1", t("once")],
  ["3", t("3 times")],
  ["10", t("10 times")],
];

/** Asks, makes the link and shows it. `study` {study_instance_uid, organization}; `report` the number of a final report, to share
 *  that instead of the images. */
export async function shareDialog(study, report = null) {
  const made = await openForm({
    name: "share",
    title: report === null ? t("Share the images by a link") : t("Share the report by a link"),
    lead: t("Whoever has the link needs no account and sees nothing else. Every picture is marked with the name below."),
    fields: [
      { name: "recipient", kind: "text", label: t("For whom"), needed: true, most: 200 },
      { name: "days", kind: "select", label: t("Open for"), value: "3", options: DAYS },
      { name: "most_uses", kind: "select", label: t("Can be opened"), value: "", options: USES },
      { name: "pin", kind: "check", label: t("Ask for a PIN"), hint: t("Tell it by phone, not with the address.") },
    ],
    go: t("Make the link"),
    send: ({ recipient, days, most_uses: uses, pin }) =>
      rest(studyDoor(study, "share-links/"), {
        method: "POST",
        body: { recipient, days: Number(days), pin, most_uses: uses ? Number(uses) : null, ...(report === null ? {} : { scope: "report", report }) },
      }),
  });
  if (made) showLink(made);
  return made;
}

/** The address and the PIN: told this once. */
function showLink({ link, address, qr, pin }) {
  const dialog = dialogOf({ title: t("Link for {who}", { who: link.recipient }), className: "asking made-link", attributes: { "data-act": "shared" } });
  make("p", "quiet", dialog).textContent = t("It is told this once. Until {until} it opens what you shared; Shared links shows who came, and ends it.", { until: new Date(link.expires_at).toLocaleString() });
  const field = make("input", "address", dialog, { readonly: "", type: "text", "aria-label": t("Address of the link") });
  field.value = address;
  field.addEventListener("focus", () => field.select());
  const row = make("div", "row", dialog);
  const copy = make("button", "primary", row, { type: "button" });
  copy.textContent = t("Copy the address");
  const told = make("span", "quiet", row, { role: "status" });
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address);
    } catch {
      field.select(); // without TLS a browser has no clipboard for pages
      document.execCommand("copy");
    }
    told.textContent = t("Copied");
  });
  make("img", "qr", dialog, { src: qr, alt: t("The address as a QR code"), width: "180", height: "180" });
  if (pin) {
    make("p", "quiet", dialog).textContent = t("The PIN. Tell it by phone, not with the address:");
    make("p", "pin", dialog).textContent = pin;
  }
  const end = make("div", "row", dialog);
  make("a", "button", end, { href: "/shares/" }).textContent = t("Shared links");
  const close = make("button", "", end, { type: "button" });
  close.textContent = t("Close");
  close.addEventListener("click", () => dialog.close());
  dialog.showModal();
  copy.focus();
}
