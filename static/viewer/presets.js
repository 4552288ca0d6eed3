// Window presets as the server lists them: the file's own first, then the table of the modality. Imports nothing.

/** The menu: [{preset, label, detail, key}]. Keys 1-9 belong to the server's table where there is one, else to the file's. */
export function presetRows(presets = []) {
  const own = presets.filter((preset) => preset.source !== "server");
  const table = presets.filter((preset) => preset.source === "server");
  const keyed = table.length ? table : own;
  return [...own, ...table].map((preset) => ({
    preset,
    label: preset.name,
    detail: presetDetail(preset),
    key: keyed.indexOf(preset) >= 0 && keyed.indexOf(preset) < 9 ? String(keyed.indexOf(preset) + 1) : "",
    own: preset.source !== "server",
  }));
}

/** The preset that key 1-9 (index 0-8) means. */
export function presetOfKey(presets, index) {
  return presetRows(presets).find(({ key }) => key === String(index + 1))?.preset ?? null;
}

function presetDetail(preset) {
  if (preset.voi_lut) return "VOI LUT";
  if (!Number.isFinite(preset.window_center)) return "";
  const plain = (value) => String(Number(Number(value).toPrecision(6)));
  return `C ${plain(preset.window_center)}  W ${plain(preset.window_width)}`;
}
