// What can be drawn on a picture, in the order of the menu: names, hints and icons of the tools.

import { t } from "../../../i18n.js";

/** [{name, label, hint, icon}]; `name` is the kind of the measurement and of the tool. */
export const kinds = () => [
  { name: "probe", label: t("Probe"), hint: t("Click: the value under the point"), icon: "pipette" },
  { name: "length", label: t("Length"), hint: t("Drag from end to end"), icon: "ruler" },
  { name: "bidirectional", label: t("Two diameters"), hint: t("Drag the long one, then click the end of the short one"), icon: "diameter" },
  { name: "angle", label: t("Angle"), hint: t("Drag one side, then click the end of the other"), icon: "triangle-right" },
  { name: "cobb", label: t("Cobb angle"), hint: t("Drag one line, then the other"), icon: "drafting-compass" },
  { name: "ellipse", label: t("Ellipse"), hint: t("Drag from corner to corner: area and values inside"), icon: "circle" },
  { name: "rectangle", label: t("Rectangle"), hint: t("Drag from corner to corner: area and values inside"), icon: "rectangle-horizontal" },
  { name: "freehand", label: t("Freehand region"), hint: t("Drag around it: area and values inside"), icon: "lasso" },
  { name: "arrow", label: t("Arrow"), hint: t("Drag from the tip, then write"), icon: "move-up-right" },
  { name: "text", label: t("Text"), hint: t("Click, then write"), icon: "type" },
  { name: "calibration", label: t("Calibration"), hint: t("Drag along something of known length, then say how long it is"), icon: "ruler-dimension-line" },
];

/** The name of a kind for people, also of one that only other programs draw. */
export const kindLabel = (kind) => kinds().find(({ name }) => name === kind)?.label ?? { polygon: t("Region"), polyline: t("Line") }[kind] ?? kind.replaceAll("_", " ");
export const kindIcon = (kind) => kinds().find(({ name }) => name === kind)?.icon ?? "ruler";
