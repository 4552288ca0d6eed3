// The key images of the studies on the desk, as the server keeps them.

import { rest, studyDoor } from "../rest.js";
import { signature } from "./views.js";

export class Store extends EventTarget {
  constructor() {
    super();
    this.studies = new Map();
  }

  /** {state: "loading" | "ready" | "failed", images, problem} of a study {study_instance_uid, organization}. */
  of(study) {
    const { study_instance_uid: uid } = study;
    if (!this.studies.has(uid)) this.studies.set(uid, { study, state: "loading", images: [], problem: "", turn: 0 });
    return this.studies.get(uid);
  }

  async load(study) {
    const held = this.of(study);
    held.turn += 1;
    const { turn } = held;
    try {
      const { key_images: images } = await rest(studyDoor(study, "key-images/"));
      if (held.turn !== turn) return; // a newer answer is on its way
      Object.assign(held, { state: "ready", images: images.map((image) => ({ ...image, signature: signature(image.view) })) });
    } catch (problem) {
      if (held.turn !== turn) return;
      Object.assign(held, { state: held.state === "ready" ? "ready" : "failed", problem: problem.message });
    }
    this.#changed();
  }

  /** Marks a picture; the server draws it itself. @param what {series, view, measurements, note} */
  async add(study, what) {
    const made = await rest(studyDoor(study, "key-images/"), { method: "POST", body: what });
    await this.load(study);
    return made;
  }

  /** Writes another note beside a key image. Refused with 409 where somebody else did so meanwhile. */
  async note(study, { uid, version }, note) {
    try {
      await rest(studyDoor(study, `key-images/${encodeURIComponent(uid)}/`), { method: "PUT", body: { version, note } });
    } finally {
      await this.load(study);
    }
  }

  async remove(study, uid) {
    await rest(studyDoor(study, `key-images/${encodeURIComponent(uid)}/`), { method: "DELETE" });
    await this.load(study);
  }

  /** The key image that shows exactly this View, in any study on the desk; null for none. */
  showing(view) {
    const wanted = signature(view);
    for (const { images } of this.studies.values()) {
      const found = images.find((image) => image.signature === wanted);
      if (found) return found;
    }
    return null;
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
