// What leaves of a study, and how: the objects with a DICOMDIR, a copy without the person, the picture or the stack that is shown.

import { openForm } from "../dialog.js";
import { t, told } from "../i18n.js";
import { objectsIn } from "../text.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";

const PURPOSES = [
  ["treatment", t("Treatment elsewhere")],
  ["second_opinion", t("Second opinion")],
  ["patient", t("For the patient")],
  ["teaching", t("Teaching")],
  ["research", t("Research")],
  ["legal", t("Legal or insurance")],
  ["other", t("Something else")],
];
const REASONS = {
  burned_in: t("says that a text is burned into the picture"),
  screen: t("a picture of a screen or of a page; it often shows a name"),
  ultrasound: t("ultrasound machines often write the name into the picture"),
  video: t("a video may show or name the patient"),
  overlay: t("an overlay is hidden in the pixels"),
  document: t("a report or document; its text names people, and it is always left out"),
};
const UNITS = ["kB", "MB", "GB", "TB"];

/** Asks, and lets the browser download. `study` {study_instance_uid, organization}; `shown`, in the viewer, {series, view, frames}:
 *  what the active viewport shows. */
export async function exportDialog(study, shown = null) {
  const where = study.organization ? { organization: study.organization } : {};
  const address = `/api/studies/${encodeURIComponent(study.study_instance_uid)}/export`;
  const held = await rest(`${address}/?${new URLSearchParams(where)}`);
  return openForm({
    name: "export",
    title: t("Export"),
    lead: [objectsIn(held.objects), sizeOf(held.bytes)].join(" · "),
    more: doubtful(held.left_out),
    fields: [
      { name: "what", kind: "choice", label: t("What"), value: "dicom", options: kinds(shown) },
      { name: "purpose", kind: "select", label: t("What for"), value: "treatment", options: PURPOSES },
      { name: "moved", kind: "check", label: t("Anonymised: move dates"), hint: t("By as many days for the whole copy; otherwise they are taken out.") },
      ...(held.left_out.some(({ reason }) => reason !== "document")
        ? [{ name: "burned_in", kind: "check", label: t("Anonymised: also pictures that may show a name"), hint: t("Look at each of them before you pass it on.") }]
        : []),
    ],
    go: t("Download"),
    send: async (asked, say, dialog) => fetchIt(await addressOf(asked, { address, where, shown }), dialog),
  });
}

const kinds = (shown) => [
  ["dicom", t("DICOM files"), t("A ZIP with a DICOMDIR, for another viewer or a medium. It holds personal data.")],
  ["anonymised", t("Anonymised DICOM files"), t("Without names, IDs and dates; UIDs are replaced. Pixels stay as they are: a face can be made from a scan of a head.")],
  ...(shown
    ? [
        ["picture", t("This picture"), t("PNG, exactly as it is shown, without texts.")],
        ...(shown.frames > 1 ? [["video", t("This stack as a video"), t("MP4 of {n} images in this window, each whole.", { n: shown.frames })]] : []),
      ]
    : []),
];

async function addressOf({ what, purpose, moved, burned_in }, { address, where, shown }) {
  if (what === "dicom") return `${address}.zip?${new URLSearchParams({ purpose, ...where })}`;
  if (what === "anonymised") {
    const wishes = { anonymised: "yes", dates: moved ? "moved" : "removed", burned_in: burned_in ? "yes" : "no" };
    return `${address}.zip?${new URLSearchParams({ ...wishes, purpose, ...where })}`;
  }
  const series = `/api/series/${encodeURIComponent(shown.series)}`;
  const { size, zoom, pan, pixel_spacing, ...whole } = shown.view;
  const view = JSON.stringify(what === "video" ? whole : shown.view);
  if (what === "picture") return { address: `${series}/frame?${new URLSearchParams({ view, media_type: "image/png", ...where })}`, name: "picture.png" };
  return { address: `${series}/video.mp4?${new URLSearchParams({ view, purpose, progress: "yes", ...where })}`, name: "video.mp4", film: true };
}

/** ZIP files are the browser's own download, with its progress; pictures and videos are made first, and refusals said in the dialog. */
async function fetchIt(asked, dialog) {
  if (typeof asked === "string") return save(asked, "");
  const left = new AbortController();
  dialog.addEventListener("close", () => left.abort());
  const answer = await fetch(asked.address, { credentials: "same-origin", signal: left.signal });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? t("The server answered {status}.", { status: answer.status }));
  const held = URL.createObjectURL(asked.film ? await filmOf(answer, dialog) : await answer.blob());
  save(held, asked.name);
  setTimeout(() => URL.revokeObjectURL(held), 60_000);
  return undefined;
}

/** The video, out of an answer that first tells how far it is (protocol of `/api/series/{uid}/video.mp4?progress=yes`). Whoever
 *  closes the dialog meanwhile wants it no more, and the server is told by the end of the connection. */
async function filmOf(answer, dialog) {
  const row = dialog.querySelector(".row");
  const away = row.querySelector("button[type=button]");
  const before = away.textContent;
  away.textContent = t("Cancel");
  const box = make("p", "far", null);
  const bar = make("progress", "", box, { "aria-label": t("This stack as a video") });
  const words = make("span", "quiet", box);
  row.before(box);
  try {
    return await taken(answer.body.getReader(), (done, total) => {
      Object.assign(bar, { max: total, value: done });
      words.textContent = t("{done} of {total}", { done, total });
    });
  } finally {
    box.remove();
    away.textContent = before;
  }
}

/** Lines of JSON, then as many bytes as the last of them says. */
async function taken(reader, tell) {
  let held = new Uint8Array();
  for (;;) {
    const end = held.indexOf(NEW_LINE);
    if (end < 0) {
      held = new Uint8Array([...held, ...(await next(reader))]);
      continue;
    }
    const said = JSON.parse(new TextDecoder().decode(held.subarray(0, end)));
    held = held.slice(end + 1);
    if (said.detail) throw new Error(told(said.detail));
    if (said.bytes !== undefined) return whole(reader, held, said.bytes);
    tell(said.done, said.total);
  }
}

async function whole(reader, first, bytes) {
  const parts = [first];
  for (let size = first.length; size < bytes; size += parts.at(-1).length) parts.push(await next(reader));
  return new Blob(parts, { type: "video/mp4" });
}

async function next(reader) {
  const { done, value } = await reader.read();
  if (done) throw new Error(t("The server cannot be reached."));
  return value;
}

const NEW_LINE = 10;

function save(address, name) {
  const link = make("a", "unseen", document.body, { href: address, download: name });
  link.click();
  link.remove();
}

function doubtful(left) {
  if (!left.length) return null;
  const box = make("details", "doubts");
  make("summary", "", box).textContent = left.length === 1 ? t("An anonymised copy leaves out 1 series") : t("An anonymised copy leaves out {n} series", { n: left.length });
  const list = make("ul", "", box);
  for (const { modality, number, description, reason } of left) {
    const name = [modality, number === null ? "" : String(number), description].filter(Boolean).join(" · ");
    make("li", "", list, { dir: "auto" }).textContent = `${name}: ${REASONS[reason] ?? reason}`;
  }
  return box;
}

function sizeOf(bytes) {
  let size = bytes / 1000;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toFixed(size < 10 ? 1 : 0)} ${UNITS[unit]}`;
}
