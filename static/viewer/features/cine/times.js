// Stacks of one series at the same places of the patient: time points, echoes, b-values. Pure.

const NEAR = 0.05;
const near = (a, b) => Math.abs(a - b) < NEAR;
const all = (a, b) => a.length === b.length && a.every((value, index) => near(value, b[index]));

function samePlaces(a, b) {
  if (!a || !b || !all(a.direction, b.direction)) return false;
  if (Array.isArray(a.mm) || Array.isArray(b.mm)) return all(a.mm ?? [], b.mm ?? []);
  return near(a.first, b.first) && near(a.step, b.step);
}

/** The stacks of `series.opened` that lie where stack `number` lies, in their order; empty where it is alone. */
export function timesOf(stacks, number) {
  const here = stacks?.find(({ stack }) => stack === number);
  if (here?.kind !== "spatial") return [];
  const found = stacks.filter((one) => one.kind === "spatial" && one.frames === here.frames && one.frame_of_reference_uid === here.frame_of_reference_uid && samePlaces(one.places, here.places));
  return found.length > 1 ? found : [];
}

/** What tells the stacks apart: of "axial, time 3" what is not in all of them. */
export function timeLabels(stacks) {
  const parts = stacks.map(({ label }) => (label ?? "").split(", "));
  const shared = new Set((parts[0] ?? []).filter((part) => parts.every((one) => one.includes(part))));
  return parts.map((one) => one.filter((part) => !shared.has(part)).join(", "));
}
