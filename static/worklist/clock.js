// How long there is, or how late it is. Imports nothing.

const pad = (number) => String(number).padStart(2, "0");

/** Milliseconds as "0:07", "1:05", "2 d 3 h": hours and minutes, whole minutes towards what is past. */
export function span(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000);
  const days = Math.floor(minutes / 1440);
  if (days) return `${days} d ${Math.floor((minutes % 1440) / 60)} h`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}`;
}

/** {text, state} of a clock: counts down to `due`, then up; "soon" in the last quarter of the target. */
export function clockOf(due, targetMinutes, now) {
  if (!due) return { text: "", state: "none" };
  const left = new Date(due).getTime() - now;
  if (left < 0) return { text: `+${span(left)}`, state: "late" };
  return { text: span(left), state: left < targetMinutes * 15000 ? "soon" : "good" };
}
