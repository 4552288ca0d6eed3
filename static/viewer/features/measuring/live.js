// Live numbers while a hand draws: one question on the way at most, and the newest one next. Imports only words.

import { told } from "../../../i18n.js";

export class Live {
  /** @param heard called with (values, problem) of the newest question that was answered */
  constructor(heard) {
    this.heard = heard;
    this.next = null;
    this.flying = false;
    this.number = 0;
  }

  /** @param channel that of the viewport @param index of the frame the points lie on @param question {kind, points} */
  ask(channel, index, question) {
    this.next = { channel, index, question };
    if (!this.flying) this.#fly();
  }

  /** What is on the way means nothing any more. */
  forget() {
    this.next = null;
    this.number += 1;
  }

  async #fly() {
    this.flying = true;
    while (this.next) {
      const { channel, index, question } = this.next;
      const { number } = this;
      this.next = null;
      const answer = await channel.measure(index, question.kind, question.points);
      if (answer && number === this.number) this.heard(answer.values ?? {}, answer.type === "error" ? told(answer.message) : "");
    }
    this.flying = false;
  }
}

const LEAST = { probe: 1, length: 2, calibration: 2, bidirectional: 4, angle: 3, cobb: 4, ellipse: 4, rectangle: 2, freehand: 3, polygon: 3 };

/** What to ask of a shape that is still being drawn; null where its points give no number yet. */
export function questionOf(kind, points) {
  if (kind === "bidirectional" && points.length > 1 && points.length < 4) return { kind: "length", points: points.slice(0, 2) };
  return points.length >= (LEAST[kind] ?? Infinity) ? { kind, points } : null;
}
