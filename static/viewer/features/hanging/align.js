// Where pictures lie in their panes so that what belongs together meets: numbers only. Imports nothing.

/** Zoom and pan of pictures that are compared: all at one scale in the patient, each at the edge that is asked for.
 *
 *  @param pictures [{pane: [rows, columns], rows, columns, spacing: [mm, mm] or null, rotation, align: "left", "right" or ""}]
 *  @returns [{zoom, pan}], pan as a fraction of the pane; zoom 1 fits */
export function aligned(pictures) {
  const sizes = pictures.map((picture) => {
    const turned = (picture.rotation ?? 0) % 180 !== 0;
    const [tall, wide] = turned ? [picture.columns, picture.rows] : [picture.rows, picture.columns];
    const fit = Math.min(picture.pane[0] / tall, picture.pane[1] / wide);
    return { wide, fit, perMillimetre: picture.spacing ? fit / picture.spacing[turned ? 0 : 1] : null };
  });
  const known = sizes.every(({ perMillimetre }) => perMillimetre > 0);
  const least = known ? Math.min(...sizes.map(({ perMillimetre }) => perMillimetre)) : null;
  return pictures.map(({ pane, align }, index) => {
    const { wide, fit, perMillimetre } = sizes[index];
    const zoom = known ? rounded(least / perMillimetre) : 1;
    const free = 0.5 - (wide * fit * zoom) / (2 * pane[1]);
    const across = { left: -free, right: free }[align] ?? 0;
    return { zoom, pan: [rounded(across), 0] };
  });
}

const rounded = (value) => Number(value.toFixed(5)) + 0;
