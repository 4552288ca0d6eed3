// Who signs without a password is asked who they are in a window of its own: by a passkey, or by the provider of single sign-on.

import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";

const LOOKS = "popup,width=520,height=760";

/** How the person at this page confirms a signature: {password: whether they have one, page: where they are asked without, or ""}. */
export async function signsBy() {
  const { signs_by: by } = await rest("/accounts/session/").catch(() => ({}));
  return by ?? { password: true, page: "" };
}

/** What is said beside the password, or instead of it. */
export function passwordHint({ password, page }) {
  if (!page) return password ? "" : t("You have no password here yet. Set one under “Your account”, then sign.");
  return password ? t("Leave it empty to use your passkey.") : t("You are asked who you are in a window of its own; then it is signed.");
}

/** Sends; where the server wants to know first who this is, its page is opened in a window, and once that is confirmed it is sent again.
 *  Closing `dialog` gives it up. */
export async function withProof(send, dialog, say) {
  try {
    return await send();
  } catch (refusal) {
    const page = refusal.body?.reauthenticate;
    if (!page) throw refusal;
    if (!(await confirmedAt(page, dialog, say))) throw refusal;
    say("");
    return send();
  }
}

/** True once the window says that its person has confirmed who they are; false where the dialog was closed before. */
function confirmedAt(page, dialog, say) {
  const channel = new BroadcastChannel("farview.confirmed");
  say(t("Confirm who you are in the other window."));
  const open = () => window.open(page, "_blank", LOOKS);
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: t("Open the window again") });
  button.addEventListener("click", open);
  dialog.querySelector("form .row").append(button);
  open();
  return new Promise((resolve) => {
    channel.addEventListener("message", () => resolve(true));
    dialog.addEventListener("close", () => resolve(false));
  }).finally(() => {
    channel.close();
    button.remove();
  });
}
