// What a reader chooses for themselves: keys, language, a second window. Kept on the server, so that it is there on every screen.

import { t } from "../../i18n.js";
import { KEY_MAPS, rebind } from "../keys.js";
import { keysDialog } from "./settings/keysdialog.js";
import { followStudies, openSecondWindow } from "./settings/windows.js";
import { rest } from "./rest.js";

const SETTINGS = "/api/me/settings/";

/** Hangs this feature into the page. */
export function install(workbench) {
  const own = document.getElementById("reader-settings");
  const settings = own ? JSON.parse(own.textContent) : {};
  const save = async (part) => {
    Object.assign(settings, part);
    await rest(SETTINGS, { method: "PUT", body: part }).catch((problem) => workbench.say(problem.message));
  };
  const keys = () => settings.keys ?? {};
  for (const name of Object.keys(KEY_MAPS)) rebind(name, keys().changed?.[name]);
  if (keys().map) workbench.keyMap = keys().map;

  workbench.settings = { get: (name) => settings[name], save };
  workbench.command("edit-keys", () => keysDialog(workbench, keys(), (changed) => save({ keys: changed })), () => t("Change keys"));
  workbench.command("second-window", () => openSecondWindow(workbench), () => t("Open a second window for another screen"));
  workbench.command("language", (language) => save({ language }).then(() => location.reload()), () => t("Language"));
  hangInHelp(workbench);
  followStudies(workbench);
  workbench.inspect("settings", () => ({ ...settings, map: workbench.keyMap }));
}

const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", "zh-hans": "简体中文" };

/** The help sheet is where keys are looked for: what changes them stands at its end. */
function hangInHelp(workbench) {
  const form = document.querySelector("#help form");
  if (!form) return;
  const row = document.createElement("div");
  row.className = "choices-of-reader";
  const button = (words, command) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = "button";
    one.textContent = words;
    one.addEventListener("click", () => {
      form.closest("dialog").close();
      workbench.run(command);
    });
    row.append(one);
  };
  button(t("Change keys…"), "edit-keys");
  button(t("Second window"), "second-window");
  row.append(languageField(workbench));
  form.append(row);
}

function languageField(workbench) {
  const label = document.createElement("label");
  label.className = "field";
  const words = document.createElement("span");
  words.textContent = t("Language");
  const select = document.createElement("select");
  select.name = "language";
  const shown = document.documentElement.lang || "en";
  for (const [code, name] of Object.entries(LANGUAGES)) select.add(new Option(name, code, false, code === shown));
  select.addEventListener("change", () => workbench.run("language", select.value));
  label.append(words, select);
  return label;
}
