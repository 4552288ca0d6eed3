// Asks the REST doors for a feature: JSON in, JSON out, refusals as errors with words for people. Imports only words and patience.

import { soonAfter } from "../../again.js";
import { t, told } from "../../i18n.js";

/** What a door refused: `status` (0: no answer at all), `body` (its JSON, or null); the message is a sentence for a person. */
export class Refused extends Error {
  constructor(status, body) {
    super(sentence(status, body));
    this.status = status;
    this.body = body;
  }
}

function sentence(status, body) {
  const detail = typeof body?.detail === "string" ? body.detail : "";
  if (status === 0) return t("The server cannot be reached.");
  if (status === 401 || status === 403) return t("You are signed out. Sign in again; nothing here is lost.");
  return told(detail) || t("The server answered {status}.", { status });
}

/** The page's own token, which every request that changes something must bear. */
const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

/** The JSON of a door, null where it answers without any. Raises Refused. */
export async function rest(address, { method = "GET", body, signal, keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = token();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const asked = { method, headers, signal, keepalive, credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(address, asked);
    if (answer.status === 401) answer = await soonAfter(() => fetch(address, asked));
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Refused(0, null);
  }
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

/** An address of a study's doors: studyDoor(study, "key-images/"). `study` is {study_instance_uid, organization}. */
export function studyDoor({ study_instance_uid, organization }, rest = "") {
  const query = organization ? `?organization=${encodeURIComponent(organization)}` : "";
  return `/api/studies/${encodeURIComponent(study_instance_uid)}/${rest}${query}`;
}
