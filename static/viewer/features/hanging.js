// How a study hangs: its protocol and stages, priors in the strip and beside the current study, the layout menu.

import { t, told } from "../../i18n.js";
import { keysOf, KEY_MAPS } from "../keys.js";
import { rememberChoice } from "./hanging/choice.js";
import { Compare } from "./hanging/compare.js";
import { fillLayoutMenu } from "./hanging/menu.js";
import { Saving } from "./hanging/saving.js";
import { makeStageBox } from "./hanging/stagebox.js";
import { Stages } from "./hanging/stages.js";
import { rest, studyDoor } from "./rest.js";

/** Hangs this feature into the page. */
export function install(workbench) {
  const { thumbnails } = workbench;
  const key = (command, argument) => keysOf(command, argument, KEY_MAPS[workbench.keyMap]).at(0) ?? "";
  const stages = new Stages(workbench, () => changed());
  const compare = new Compare(workbench, stages);
  const saving = new Saving(workbench, stages, (row) => {
    workbench.say(t("{name} is saved", { name: row.name }));
    ask(row.id, false);
  });
  const writeBox = makeStageBox(workbench, { run: (by) => workbench.run("stage", by), keys: (by) => key("stage", by) });

  function changed() {
    writeBox(stages);
    workbench.tell("stage");
    workbench.toolbar.refresh();
    if (stages.stage && stages.index >= 0) workbench.say(t("Stage {n} of {all}: {name}", { n: stages.index + 1, all: stages.pages.length, name: told(stages.stage.name) }));
  }

  const protocol = () => (stages.hanging?.protocol ? String(stages.hanging.protocol.id ?? stages.hanging.protocol.name) : null);
  /** For the live session: which stage is up, and that it is up already. */
  workbench.stage = {
    get: () => ({ protocol: protocol(), index: stages.index }),
    mark: (stage) => stage && stage.protocol === protocol() && stages.mark(stage.index),
  };

  const plainly = workbench.hang;
  workbench.hang = (study) => {
    if (!stages.hang(study.hanging)) plainly();
  };

  // --- commands

  workbench.command(
    "stage",
    (by = 1) => {
      if (!stages.go(by)) workbench.active.remark(t("This study has no stages"));
    },
    (by) => (by < 0 ? t("Stage before of the hanging protocol") : t("Next stage of the hanging protocol")),
  );
  workbench.command("show-stage", (index) => stages.show(index), () => t("A stage of the hanging protocol"));
  workbench.command("prior", () => compare.toggle(), () => t("Current beside prior, and back"));
  workbench.command("protocol", (id) => ask(id, true), () => t("Another hanging protocol"));
  workbench.command("save-protocol", () => saving.open(), () => t("Save this layout as a protocol"));
  workbench.toolbar.layoutMenu.fill = (menu) => fillLayoutMenu(menu, { workbench, stages, compare, key });

  /** Hangs by another protocol; a choice is remembered for studies of this kind. */
  async function ask(id, chosen) {
    const address = studyDoor(workbench.study, "hanging/");
    try {
      if (chosen) await rememberChoice(workbench.settings, stages.hanging?.kind ?? "", id);
      stages.hang(await rest(id === null ? address : `${address}${address.includes("?") ? "&" : "?"}protocol=${id}`));
    } catch (problem) {
      workbench.active.remark(t("The protocol cannot be shown"), problem.message);
    }
  }

  // --- other studies of the patient

  thumbnails.addEventListener("beside", async ({ detail: uid }) => {
    const { organization } = workbench.study;
    try {
      thumbnails.addBeside(await rest(studyDoor({ study_instance_uid: uid, organization })));
    } catch (problem) {
      thumbnails.failBeside(uid, problem.message);
    }
  });

  workbench.inspect("hanging", () => ({
    protocol: stages.hanging?.protocol ?? null,
    kind: stages.hanging?.kind ?? "",
    stages: stages.pages.map(({ name }) => name),
    skipped: stages.hanging?.skipped ?? [],
    stage: stages.index,
    comparing: compare.on,
    studies: workbench.viewports.map(({ source }) => source?.study?.study_instance_uid ?? (source ? workbench.study.study_instance_uid : null)),
  }));
}
