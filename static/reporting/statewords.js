// What a report is and how it is kept, in words: its state, and whether what was typed is safe.

import { t } from "../i18n.js";

const STATES = {
  draft: () => t("Draft"),
  preliminary: () => t("Preliminary"),
  pending_cosign: () => t("Waits for co-signature"),
  returned: () => t("Returned"),
  final: () => t("Final"),
  appended: () => t("Final, with addendum"),
  corrected: () => t("Corrected"),
  blind: () => t("A read of your own"),
  read: () => t("Read, one of two"),
  cancelled: () => t("Cancelled"),
  entered_in_error: () => t("Entered in error"),
};

export const reportState = (state) => STATES[state]?.() ?? state;

const clock = (ms) => new Date(ms).toLocaleTimeString(undefined, { timeStyle: "short" });

/** {text, tone, detail} of a Saver: one calm line. tone: "good", "quiet", "trouble". */
export function savingWords({ state, problem, savedAt, journal }) {
  const kept = journal?.broken ? t("This browser keeps nothing either: leave this window open.") : t("Your words are kept in this browser.");
  const found = {
    saved: () => ({ text: savedAt ? t("Saved {time}", { time: clock(savedAt) }) : t("Saved"), tone: "good" }),
    waiting: () => ({ text: t("Saving…"), tone: "quiet" }),
    saving: () => ({ text: t("Saving…"), tone: "quiet" }),
    offline: () => ({ text: t("Not saved yet"), tone: "trouble", detail: `${problem} ${kept} ${t("It is sent by itself as soon as it can be.")}` }),
    "signed-out": () => ({ text: t("Not saved: signed out"), tone: "trouble", detail: `${t("You are signed out.")} ${kept} ${t("Sign in again in another tab and go on writing here.")}` }),
    refused: () => ({ text: t("Not saved"), tone: "trouble", detail: `${problem} ${kept}` }),
    conflict: () => ({ text: t("Not saved: two texts"), tone: "trouble", detail: t("The same fields were changed in another place. Choose what stays.") }),
    lost: () => ({ text: t("Read only"), tone: "quiet" }),
    "wrong-patient": () => ({ text: t("Not saved: another patient"), tone: "trouble", detail: `${problem} ${kept} ${t("Nothing is sent until the page is opened anew.")}` }),
    stopped: () => ({ text: "", tone: "quiet" }),
  };
  return found[state]();
}
