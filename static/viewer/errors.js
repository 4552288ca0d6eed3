// What went wrong, in words a reader can act on: what happened, what was kept, what to do. Imports only words.

import { t, told } from "../i18n.js";

const WORDS = {
  not_found: {
    title: t("This series is not here"),
    advice: t("It was moved or removed, or your right to see it ended. The study list shows what you can open."),
    retry: false,
  },
  cannot_decode: {
    title: t("This image cannot be decoded"),
    advice: t("The stored file is kept unchanged. Other images of the study can still be opened."),
    retry: true,
  },
  too_large: {
    title: t("Too large for this view"),
    advice: t("It can still be read as a stack of images."),
    retry: false,
  },
  busy: { title: t("The server is busy"), advice: t("The picture comes as soon as there is room."), retry: true },
  bad_view: { title: t("This view cannot be drawn"), advice: t("The last picture is kept. Press Space to reset the view."), retry: false },
  bad_message: { title: t("The page and the server disagree"), advice: t("Reload the page; nothing is lost."), retry: false },
  signed_out: { title: t("You are signed out"), advice: t("Sign in again; the page goes on where it was."), retry: false },
  unauthorized: { title: t("You are signed out"), advice: t("Sign in again; the page goes on where it was."), retry: false },
};

const UNKNOWN = { title: t("Something went wrong"), advice: t("Try again. If it happens again, tell the administrator."), retry: true };

/** {title, detail, advice, retry} for an error message of the server. */
export function explained({ code = "", message = "" } = {}) {
  const words = WORDS[code] ?? UNKNOWN;
  // Some messages begin with what the title says already.
  const said = told(message);
  const rest = said.startsWith(words.title) ? said.slice(words.title.length).replace(/^[\s:.,\uff1a\u3002\uff0c]+/, "") : said;
  return { ...words, detail: rest && rest[0].toUpperCase() + rest.slice(1), code };
}

/** An answer of the REST doors that was not what was asked for, as the same kind of thing. */
export function explainedStatus(status, detail = "") {
  if (status === 401 || status === 403) return explained({ code: "signed_out", message: detail });
  if (status === 404) return explained({ code: "not_found", message: detail });
  if (status === 409) {
    return { title: t("Which organization?"), detail: told(detail), advice: t("The same study exists in several organizations. Open it from the study list."), retry: false, code: "ambiguous" };
  }
  if (status === 429 || status === 503) return explained({ code: "busy", message: detail });
  return { ...UNKNOWN, detail: told(detail) || (status ? t("The server answered {status}.", { status }) : t("The server cannot be reached.")), code: String(status) };
}
