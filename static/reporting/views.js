// Evidence shown in the viewer exactly as it was marked or measured, and links to it. Imports nothing of a page.

import { carried, linkTo } from "../viewer/features/keyimages/views.js";

/** A function that shows {series_instance_uid, view} in the active pane of a viewer page; false where its images are not there. */
export function shower(workbench) {
  return ({ series_instance_uid: series, view }) => {
    const stack = view?.stack ?? 0;
    const shown = workbench.viewports.map(({ source }) => source).find((source) => source?.series.series_instance_uid === series && source.stack?.stack === stack);
    const tile = shown ?? workbench.tile(series, stack);
    if (!tile) return false;
    workbench.show(workbench.active, tile, carried(view));
    return true;
  };
}

/** The address of the viewer page that shows it. */
export const addressOf = (study, { series_instance_uid: series, view }) => linkTo(study, { ...view, series }, location.origin);

/** A text that names the patient of a study and nobody else. */
export const patientKey = ({ organization = "", patient = {} }) => JSON.stringify([organization, patient.issuer_of_patient_id ?? "", patient.patient_id ?? "", patient.patient_id ? "" : (patient.name ?? "")]);
