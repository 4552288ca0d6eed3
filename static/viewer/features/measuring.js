// To be filled.

/** Hangs this feature into the page. */
export function install(workbench) {
  void workbench;
}
