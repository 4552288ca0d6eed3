// The menu of planes, slabs, turning and volume pictures: a table of what can be asked for, and what is shown now.

import { t } from "../i18n.js";
import { planePart, projectionPart, reformatted, SLABS, turningPart, volumePart, whole } from "./space.js";

const PLANES = ["acquired", "axial", "coronal", "sagittal"];
const SHOWN = { acquired: t("As acquired"), axial: t("Axial"), coronal: t("Coronal"), sagittal: t("Sagittal") };
const PRESETS = {
  bone: t("Bone"),
  vessels: t("Vessels"),
  "soft tissue": t("Soft tissue"),
  lung: t("Lung"),
  skin: t("Skin"),
  surface: t("Surface"),
  brightest: t("Brightest"),
};
const PROJECTIONS = [
  ["slice", t("Slice"), t("one plane")],
  ["mip", t("MIP"), t("brightest in a slab")],
  ["minip", t("MinIP"), t("darkest in a slab")],
  ["mean", t("Mean"), t("of a slab")],
];

/** Groups of the menu: [{heading, items: [{label, detail, checked, change, turns}]}]. `change` is the part of the View to ask
 *  for; `turns` says that the hand turns the picture then. */
export function spaceGroups(standpoint) {
  const { view, opened } = standpoint;
  const all = whole(view);
  const slab = !all && (view.projection ?? "slice") !== "slice";
  const groups = [
    { heading: t("Plane"), items: PLANES.map((name) => plane(name, standpoint)) },
    {
      heading: t("Projection"),
      items: PROJECTIONS.map(([name, label, detail]) => ({
        label,
        detail,
        checked: !all && (view.projection ?? "slice") === name,
        change: projectionPart(name, standpoint),
        turns: false,
      })),
    },
  ];
  if (slab) groups.push({ heading: t("Slab"), items: SLABS.map((thickness) => slabItem(thickness, view)) });
  const presets = opened?.volume_presets ?? [];
  const spinning = { label: t("Rotating MIP"), detail: t("drag to turn"), checked: all && view.projection === "mip", change: turningPart(view), turns: true };
  const lit = presets.map((name) => ({
    label: PRESETS[name] ?? name,
    detail: "",
    checked: view.projection === "volume" && view.volume_preset === name,
    change: volumePart(name, view),
    turns: true,
  }));
  groups.push({ heading: t("Whole volume"), items: [spinning] });
  if (lit.length) groups.push({ heading: t("Volume picture"), items: lit });
  return groups;
}

function plane(name, standpoint) {
  const { view } = standpoint;
  const change = planePart(name, standpoint);
  return {
    label: SHOWN[name] ?? name,
    detail: "",
    checked: name === "acquired" ? !reformatted(view) : view.plane === name,
    change,
    turns: whole({ ...view, ...change }),
  };
}

function slabItem(thickness, view) {
  return { label: `${thickness} mm`, detail: "", checked: view.slab_thickness === thickness, change: { slab_thickness: thickness }, turns: false };
}

const AFTER = { acquired: "axial", axial: "coronal", coronal: "sagittal", sagittal: "acquired" };

/** The next of the planes, for a key. */
export const nextPlane = (standpoint) => planePart(AFTER[standpoint.view.plane ?? "acquired"] ?? "axial", standpoint);

/** The next of the projections, for a key; from the whole volume back to a slice. */
export function nextProjection(standpoint) {
  const { view } = standpoint;
  const names = PROJECTIONS.map(([name]) => name);
  const at = whole(view) ? -1 : names.indexOf(view.projection ?? "slice");
  return projectionPart(names[(at + 1) % names.length], standpoint);
}
