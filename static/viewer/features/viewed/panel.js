// Which mammograms were seen at full size, and how much of the others.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";

/** "63 %"; never 100 % of what was not seen wholly. */
export const percent = (covered) => `${covered >= 1 ? 100 : Math.min(99, Math.floor(covered * 100))} %`;

/** "R CC", "L MLO, frame 12": as the study's lists know the image, else by its number. */
export function nameOf({ series_instance_uid: series, sop_instance_uid: uid, frame_number: frame, frames }, study, at) {
  const row = study.series?.find((one) => one.series_instance_uid === series);
  const stacks = row?.stacks ?? [];
  const image = stacks.flatMap(({ images = [] }) => images).find((one) => one.sop_instance_uid === uid) ?? stacks[0] ?? {};
  const name = [image.laterality, image.view_position].filter(Boolean).join(" ") || row?.description || t("Image {n}", { n: at + 1 });
  return frames > 1 ? t("{name}, frame {n}", { name, n: frame }) : name;
}

/** @param acts {go(image), next()} */
export function fillPanel(element, images, { study, icon }, { go, next }) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  element.classList.add("viewed-images");
  element.replaceChildren();
  make("h2", "", element).textContent = t("Viewed at full size");
  const left = images.filter(({ covered }) => covered < 1).length;
  make("p", left ? "note" : "quiet", element, { role: "status" }).textContent = left
    ? t("Not viewed yet: {left} of {all} images. An image is viewed when every part of it was on the screen exactly and at full size.", { left, all: images.length })
    : t("Viewed: all {all} images. Every part of them was on the screen exactly and at full size.", { all: images.length });
  if (left) {
    const button = make("button", "", element, { type: "button", "data-focus": "next" });
    button.append(icon("scan-eye"), t("Next part to view"));
    button.addEventListener("click", next);
  }
  const list = make("ul", "", element);
  images.forEach((image, at) => {
    const row = make("li", "", list);
    const name = nameOf(image, study, at);
    const key = `${image.sop_instance_uid} ${image.frame_number}`;
    const button = make("button", "plain", row, { type: "button", "data-focus": key, "data-state": image.covered >= 1 ? "whole" : "part", title: t("Go there") });
    make("span", "", button).textContent = name;
    make("meter", "", button, { min: "0", max: "1", value: String(image.covered), "aria-hidden": "true" });
    make("span", "number", button).textContent = percent(image.covered);
    button.addEventListener("click", () => go(image));
  });
  if (focused) element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}
