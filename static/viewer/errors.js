// What went wrong, in words a reader can act on: what happened, what was kept, what to do. Imports nothing.

const WORDS = {
  not_found: {
    title: "This series is not here",
    advice: "It was moved or removed, or your right to see it ended. The study list shows what you can open.",
    retry: false,
  },
  cannot_decode: {
    title: "This image cannot be decoded",
    advice: "The stored file is kept unchanged. Other images of the study can still be opened.",
    retry: true,
  },
  too_large: {
    title: "Too large for this view",
    advice: "It can still be read as a stack of images.",
    retry: false,
  },
  busy: { title: "The server is busy", advice: "The picture comes as soon as there is room.", retry: true },
  bad_view: { title: "This view cannot be drawn", advice: "The last picture is kept. Press Space to reset the view.", retry: false },
  bad_message: { title: "The page and the server disagree", advice: "Reload the page; nothing is lost.", retry: false },
  signed_out: { title: "You are signed out", advice: "Sign in again; the page goes on where it was.", retry: false },
  unauthorized: { title: "You are signed out", advice: "Sign in again; the page goes on where it was.", retry: false },
};

const UNKNOWN = { title: "Something went wrong", advice: "Try again. If it happens again, tell the administrator.", retry: true };

/** {title, detail, advice, retry} for an error message of the server. */
export function explained({ code = "", message = "" } = {}) {
  const words = WORDS[code] ?? UNKNOWN;
  // Some messages begin with what the title says already.
  const rest = message.startsWith(words.title) ? message.slice(words.title.length).replace(/^[:.,\s]+/, "") : message;
  return { ...words, detail: rest && rest[0].toUpperCase() + rest.slice(1), code };
}

/** An answer of the REST doors that was not what was asked for, as the same kind of thing. */
export function explainedStatus(status, detail = "") {
  if (status === 401 || status === 403) return explained({ code: "signed_out", message: detail });
  if (status === 404) return explained({ code: "not_found", message: detail });
  if (status === 409) {
    return { title: "Which organization?", detail, advice: "The same study exists in several organizations. Open it from the study list.", retry: false, code: "ambiguous" };
  }
  if (status === 429 || status === 503) return explained({ code: "busy", message: detail });
  return { ...UNKNOWN, detail: detail || (status ? `The server answered ${status}.` : "The server cannot be reached."), code: String(status) };
}
