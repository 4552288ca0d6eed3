// How wide the viewer's panel is while the report is open in it: by its edge, with the mouse or with arrow keys.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

const [LEAST, USUAL] = [360, 640];
const STEP = 32;

/** Makes a side panel resizable. @param remembered {get, set} */
export function resizable(side, remembered) {
  const handle = make("div", "report-edge", side, { role: "separator", "aria-orientation": "vertical", tabindex: "0", "aria-label": t("Width of the report") });
  const most = () => Math.max(LEAST, Math.round(innerWidth * 0.7));
  let width = Number(remembered.get("report-width", String(USUAL))) || USUAL;

  function set(wanted, keep = true) {
    width = Math.round(Math.min(most(), Math.max(LEAST, wanted)));
    side.style.setProperty("--report-width", `${width}px`);
    handle.setAttribute("aria-valuenow", String(width));
    handle.setAttribute("aria-valuemin", String(LEAST));
    handle.setAttribute("aria-valuemax", String(most()));
    if (keep) remembered.set("report-width", String(width));
  }

  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    const [from, at] = [width, event.clientX];
    const move = ({ clientX }) => set(from + at - clientX, false);
    const done = () => {
      handle.removeEventListener("pointermove", move);
      set(width);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", done, { once: true });
    handle.addEventListener("pointercancel", done, { once: true });
    event.preventDefault();
  });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    set(width + by);
  });
  addEventListener("resize", () => set(width, false));
  set(width, false);
}
