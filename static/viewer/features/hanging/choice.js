// Which protocol a reader chose for a kind of study: kept with their settings, so that the server hangs by it at once.

import { rest } from "../rest.js";

const ADDRESS = "/api/me/settings/";

/** @param kind "CT/chest" @param id of the protocol */
export async function rememberChoice(kind, id) {
  try {
    const values = (await rest(ADDRESS)) ?? {};
    await rest(ADDRESS, { method: "PUT", body: { ...values, hanging: { ...values.hanging, [kind]: id } } });
  } catch {
    // The study hangs as it was asked for; only the next one will not.
  }
}
