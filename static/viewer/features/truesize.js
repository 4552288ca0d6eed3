// True size: a picture as large as what it shows, on a screen whose pixels were measured with a bank card. A presentation state
// may ask for it, too.

import { t } from "../../i18n.js";
import { dialogOf } from "../../dialog.js";
import { make } from "../menu.js";
import { keepScreenPitch, screenPitch, shownMillimetres } from "../screen.js";
import { remark } from "./remark.js";

/** mm: the width of a bank card (ISO/IEC 7810 ID-1). */
const CARD = 85.6;
const [NARROWEST, USUAL, WIDEST] = [160, 324, 900];

/** Hangs this feature into the page. */
export function install(workbench) {
  const { toolbar } = workbench;
  const asked = new WeakMap();

  function show(viewport) {
    const { header } = viewport;
    const pitch = screenPitch();
    const millimetres = header && shownMillimetres(header);
    if (!millimetres) remark(viewport, t("No millimetres are known for this picture."), { trouble: true });
    else if (pitch) viewport.change({ zoom: trueZoom(viewport.zoom, millimetres, pitch), pan: [0, 0] });
    return Boolean(millimetres && pitch);
  }

  workbench.command(
    "true-size",
    async () => {
      const viewport = workbench.active;
      if (screenPitch() || (await calibrate())) show(viewport);
    },
    () => t("True size"),
  );
  workbench.command("measure-screen", calibrate, () => t("Measure this screen"));
  toolbar.addMore("true-size", t("True size"), "ruler-dimension-line");
  toolbar.addMore("measure-screen", t("Measure this screen"), "credit-card");

  // Once for each state that asks for it: what the reader does after that stays.
  workbench.on("painted", ({ viewport }) => {
    const { header } = viewport;
    const state = header?.true_size ? header.view.presentation_state : null;
    if (state === (asked.get(viewport) ?? null)) return;
    asked.set(viewport, state);
    if (state && !show(viewport)) remark(viewport, t("This presentation state asks for true size. Measure this screen first (menu More)."));
  });
}

/** The zoom at which `millimetres` under a pixel, at `zoom`, become those of the screen's pixel. */
export const trueZoom = (zoom, millimetres, pitch) => (zoom * millimetres) / pitch;

/** Asks for the width of a bank card on this screen; true when it was told. */
function calibrate() {
  const dialog = dialogOf({ title: t("Measure this screen"), className: "screen-size" });
  make("p", "quiet", dialog).textContent = t("Hold a bank card against the box and make the box as wide as the card. It is kept for this screen in this browser.");
  const card = make("div", "card", dialog, { role: "img", "aria-label": t("Box as wide as the card") });
  const form = make("form", "", dialog, { method: "dialog" });
  const width = make("input", "", form, { type: "range", min: NARROWEST, max: WIDEST, step: "0.5", "aria-label": t("Width of the box") });
  const known = screenPitch();
  width.value = String(known ? CARD / known / devicePixelRatio : USUAL);
  const draw = () => {
    card.style.inlineSize = `${width.value}px`;
    card.style.blockSize = `${(Number(width.value) * 53.98) / CARD}px`;
  };
  width.addEventListener("input", draw);
  draw();
  const row = make("div", "row", form);
  make("button", "primary", row, { type: "submit", value: "kept" }).textContent = t("It fits");
  const away = make("button", "", row, { type: "button" });
  away.textContent = t("Not now");
  away.addEventListener("click", () => dialog.close());
  dialog.showModal();
  width.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const told = dialog.returnValue === "kept";
      if (told) keepScreenPitch(CARD / (Number(width.value) * devicePixelRatio));
      resolve(told);
    });
  });
}
