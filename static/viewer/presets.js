// Window presets as the server lists them: the file's own first, then the table of the modality.

import { t } from "../i18n.js";

const NUMBERED = /^window \d+$/i;
const FIELDS = ["window_center", "window_width"];
const curve = ({ voi_lut_function }) => voi_lut_function ?? "LINEAR";
const folded = ({ name }) => name.trim().toLowerCase();
const sameWindow = (a, b) => Number.isFinite(a.window_width) && FIELDS.every((field) => a[field] === b[field]) && curve(a) === curve(b);
/** The same window under a name that says nothing more. */
const repeats = (preset, earlier) => sameWindow(preset, earlier) && (NUMBERED.test(preset.name) || folded(preset) === folded(earlier));

/** The menu: [{preset, label, detail, key, own}], each window once. Keys 1-9 belong to the server's table where there is one,
 *  else to the file's; a window of the file that repeats one of the table stands for it, with its key. */
export function presetRows(presets = []) {
  const own = [];
  for (const preset of presets.filter(({ source }) => source !== "server")) {
    if (!own.some((earlier) => repeats(preset, earlier))) own.push(preset);
  }
  const table = presets.filter(({ source }) => source === "server");
  const keyed = table.length ? table.map((preset) => own.find((one) => repeats(preset, one)) ?? preset) : own;
  return [...own, ...keyed.filter((preset) => !own.includes(preset))].map((preset) => {
    const place = keyed.indexOf(preset);
    return {
      preset,
      label: preset.name,
      detail: presetDetail(preset),
      key: place >= 0 && place < 9 ? String(place + 1) : "",
      own: preset.source !== "server",
    };
  });
}

/** The row that a View shows: the one it names, else the first with its window; null when it is the reader's own. */
export function shownRow(rows, view = {}) {
  if (view.preset) return rows.find(({ preset }) => preset.name === view.preset) ?? null;
  return rows.find(({ preset }) => sameWindow(preset, view)) ?? null;
}

/** The preset that key 1-9 (index 0-8) means. */
export function presetOfKey(presets, index) {
  return presetRows(presets).find(({ key }) => key === String(index + 1))?.preset ?? null;
}

function presetDetail(preset) {
  if (preset.voi_lut) return "VOI LUT";
  if (!Number.isFinite(preset.window_center)) return "";
  const plain = (value) => String(Number(Number(value).toPrecision(6)));
  return t("W {width} C {center}", { width: plain(preset.window_width), center: plain(preset.window_center) });
}
