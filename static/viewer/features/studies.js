// Which study a picture is of: a prior's series carry their own. Imports nothing.

/** The study {study_instance_uid, organization, ...} of a tile or of what a pane shows. */
export const studyOf = (workbench, source) => source?.study ?? source?.series?.study ?? workbench.study;
