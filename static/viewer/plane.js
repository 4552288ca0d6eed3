// Where a point of the patient, or of a stored image, lies on a painted picture, and back. Everything from the frame's header;
// a "box" is {width, height} of the pane in CSS pixels, over which the picture is stretched. Imports nothing.

const plus = (a, b, by = 1) => a.map((value, axis) => value + by * b[axis]);
const dot = (a, b) => a.reduce((sum, value, axis) => sum + value * b[axis], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** {x, y} in the pane of [column, row] of the picture; pixel centres are whole numbers. */
export const pictureToPane = (header, [column, row], box) => ({
  x: ((column + 0.5) / header.columns) * box.width,
  y: ((row + 0.5) / header.rows) * box.height,
});

/** [column, row] of the picture under {x, y} of the pane. */
export const paneToPicture = (header, { x, y }, box) => [(x / box.width) * header.columns - 0.5, (y / box.height) * header.rows - 0.5];

/** LPS mm under [column, row] of the picture; null where it has no place in the patient. */
export function pictureToPatient({ geometry }, [column, row]) {
  if (!geometry) return null;
  return plus(plus(geometry.top_left, geometry.row, column * geometry.pixel_spacing[1]), geometry.column, row * geometry.pixel_spacing[0]);
}

/** {at: [column, row], off} of an LPS point: `off` mm behind the picture's plane. Null where the picture has no place. */
export function patientToPicture({ geometry }, point) {
  if (!geometry) return null;
  const away = plus(point, geometry.top_left, -1);
  const at = [dot(away, geometry.row) / geometry.pixel_spacing[1], dot(away, geometry.column) / geometry.pixel_spacing[0]];
  return { at, off: dot(away, cross(geometry.row, geometry.column)) };
}

/** [column, row] in stored pixels of the frame under [column, row] of an acquired picture; null for others. */
export function pictureToImage({ placement }, [column, row]) {
  if (!placement) return null;
  return plus(plus(placement.first, placement.across, column), placement.down, row);
}

/** [column, row] of an acquired picture at [column, row] of the stored frame; null for others. */
export function imageToPicture({ placement }, point) {
  if (!placement) return null;
  const { first, across, down } = placement;
  const [x, y] = plus(point, first, -1);
  const area = across[0] * down[1] - across[1] * down[0];
  return [(x * down[1] - y * down[0]) / area, (y * across[0] - x * across[1]) / area];
}

/** What a point of the pane is kept as: {space: "patient", point: [x, y, z]}, or {space: "image", point: [column, row]} on
 *  an image that has no place in the patient; null where it is neither. */
export function anchored(header, at, box) {
  const picture = paneToPicture(header, at, box);
  const patient = pictureToPatient(header, picture);
  if (patient) return { space: "patient", point: patient };
  const image = pictureToImage(header, picture);
  return image && { space: "image", point: image };
}

/** {x, y, off} in the pane of a kept point; `off` is 0 for points of an image. Null where the picture cannot show it. */
export function onPane(header, space, point, box) {
  if (space === "patient") {
    const found = patientToPicture(header, point);
    return found && { ...pictureToPane(header, found.at, box), off: found.off };
  }
  const at = imageToPicture(header, point);
  return at && { ...pictureToPane(header, at, box), off: 0 };
}

/** The line in which the plane of another picture cuts this one, as two points {x, y} of the pane at the edges of the other
 *  picture's extent; null where they do not cross. */
export function crossing(header, other, box) {
  if (!header.geometry || !other.geometry) return null;
  const corners = [[0, 0], [other.columns - 1, 0], [other.columns - 1, other.rows - 1], [0, other.rows - 1]].map((at) => pictureToPatient(other, at));
  const found = corners.map((corner) => patientToPicture(header, corner));
  const ends = [];
  found.forEach((a, index) => {
    const b = found[(index + 1) % 4];
    if (a.off > 0 === b.off > 0) return;
    const part = a.off / (a.off - b.off);
    ends.push(pictureToPane(header, a.at.map((value, axis) => value + part * (b.at[axis] - value)), box));
  });
  return ends.length === 2 ? ends : null;
}
