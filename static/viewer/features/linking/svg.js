// Small parts of a drawing over a picture. Imports nothing.

const SPACE = "http://www.w3.org/2000/svg";

/** The child of `parent` of that name, made where there is none: elements are kept, so that a hand that holds one keeps it. */
export function part(parent, name, tag, attributes = {}) {
  let found = [...parent.children].find((one) => one.dataset.part === name);
  if (!found) {
    found = document.createElementNS(SPACE, tag);
    found.dataset.part = name;
    parent.append(found);
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null) found.removeAttribute(key);
    else if (found.getAttribute(key) !== String(value)) found.setAttribute(key, value);
  }
  return found;
}

/** Takes away the children that are not named. */
export function keepOnly(parent, names) {
  for (const child of [...parent.children]) if (!names.has(child.dataset.part)) child.remove();
}

export const tenth = (value) => Math.round(value * 10) / 10;

/** Where a line through `at` in the direction `way` (unit, CSS px) enters and leaves the box: [back, ahead] px along it. */
export function reachIn({ x, y }, [dx, dy], { width, height }, edge = 0) {
  let [back, ahead] = [-Infinity, Infinity];
  for (const [place, way, size] of [[x, dx, width], [y, dy, height]]) {
    if (Math.abs(way) < 1e-9) {
      if (place < edge || place > size - edge) return null;
      continue;
    }
    const [a, b] = [(edge - place) / way, (size - edge - place) / way].sort((one, other) => one - other);
    back = Math.max(back, a);
    ahead = Math.min(ahead, b);
  }
  return back < ahead ? [back, ahead] : null;
}
