// What is on the screen as a stage of a hanging protocol: what each pane shows, by what it is and not by its UIDs. Imports nothing.

const WINDOW = ["window_center", "window_width", "voi_lut_function", "preset"];
const LOOK = ["inverted", "color_map", "rotation", "flip_horizontal", "flip_vertical"];
const VOLUME = ["volume_preset"];
const PLAIN = { inverted: false, rotation: 0, flip_horizontal: false, flip_vertical: false, voi_lut_function: "LINEAR" };
const NAMED_PLANES = new Set(["axial", "coronal", "sagittal"]);

/** A stage of what panes show. @param panes [{source, view, window, suv}] or null where empty; `window`: the reader set it; `suv`: what
 *  makes SUV of values, if anything does
 *  @param priors Study Instance UIDs of "prior 1", "prior 2", ... */
export function stageOf(name, layout, panes, priors) {
  const slots = [];
  panes.forEach((pane) => slots.push(pane ? slotOf(pane, panes, slots, priors) : null));
  return { name, layout, viewports: slots };
}

function slotOf({ source, view, window, suv = null }, panes, before, priors) {
  const shown = viewOf(view, window, suv);
  const first = before.findIndex((slot, index) => slot && !("same_as" in slot) && sameImages(panes[index], { source, view }));
  if (first >= 0) return { same_as: first + 1, ...filled("view", shown) };
  const study = whichStudy(source, priors);
  const like = study === "current" ? -1 : before.findIndex((slot, index) => slot && !slot.same_as && compares(panes[index], { source, view }));
  return {
    series: seriesOf(source, view),
    ...(study === "current" ? {} : { study }),
    ...(like < 0 ? {} : { like: like + 1 }),
    ...filled("view", shown),
  };
}

const filled = (name, value) => (Object.keys(value).length ? { [name]: value } : {});

function sameImages(one, other) {
  const image = ({ source, view }) => (source.stack?.images?.length ? view.sop_instance_uid : null);
  return one.source.series === other.source.series && one.source.stack === other.source.stack && image(one) === image(other);
}

/** Is this pane of the current study what the other one is compared with? */
function compares(one, other) {
  const told = ({ source, view }) => {
    const image = imageOf(source, view);
    return [source.series.modality, source.stack?.plane, image.view_position, image.laterality].map((value) => value ?? "").join("/");
  };
  return !one.source.study && told(one) === told(other);
}

const imageOf = ({ stack }, view) => stack?.images?.find(({ sop_instance_uid: uid }) => uid === view.sop_instance_uid) ?? stack ?? {};

function whichStudy({ study }, priors) {
  if (!study) return "current";
  const at = priors.indexOf(study.study_instance_uid);
  return at < 0 ? "prior 1" : `prior ${at + 1}`;
}

/** What tells this stack or image from others of its study. */
function seriesOf({ series, stack }, view) {
  const image = imageOf({ stack }, view);
  const words = patternOf(series.description);
  return {
    ...(series.modality ? { modality: [series.modality] } : {}),
    ...(stack?.plane ? { plane: [stack.plane] } : {}),
    ...(image.view_position ? { view_position: [image.view_position] } : {}),
    ...(image.laterality ? { laterality: [image.laterality] } : {}),
    ...(words && !image.view_position ? { description: [words] } : {}),
  };
}

/** The words of a description without its numbers, which tell sizes and dates; "" where none are left. */
export function patternOf(description = "") {
  const words = description.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !/^\d+$/.test(word) && word !== "mm").join(" ").slice(0, 200);
}

/** The ends of a window in SUV, which hold for every patient; as stored they hold for one. */
function limitsOf({ window_center: center, window_width: width }, factor) {
  const [lower, upper] = [center - width / 2, center + width / 2].map((value) => Number(Math.max(0, value * factor).toPrecision(3)));
  return [lower, Math.max(upper, lower + 0.1)];
}

/** Fields of the View that a protocol carries; those that are as ever are left out. */
function viewOf(view, window, suv) {
  const part = {};
  const whole = view.projection === "volume";
  const take = (fields) => {
    for (const field of fields) {
      const value = view[field];
      if (value !== null && value !== undefined && value !== PLAIN[field]) part[field] = value;
    }
  };
  if (NAMED_PLANES.has(view.plane)) part.plane = view.plane;
  if ((view.projection ?? "slice") !== "slice") {
    part.projection = view.projection;
    if (view.slab_thickness) part.slab_thickness = view.slab_thickness;
  }
  if (window && !whole && suv > 0 && !view.preset) part.suv = limitsOf(view, suv);
  else if (window && !whole) take(view.preset ? ["preset"] : WINDOW.slice(0, 3));
  take(whole ? VOLUME : LOOK);
  if (view.zoom === "native" || (Number.isFinite(view.zoom) && Math.abs(view.zoom - 1) > 0.01)) part.zoom = view.zoom;
  if ((view.pan ?? [0, 0]).some((value) => Math.abs(value) > 0.01)) part.pan = view.pan;
  return part;
}
