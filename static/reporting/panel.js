// The report beside the pictures.

/** Hangs reporting into the viewer page. */
export function install(workbench) {
  void workbench;
}
