// Which protocol a reader chose for a kind of study: kept with their settings, so that the server hangs by it at once. Imports nothing.

/** @param settings {get, save} of the reader @param kind "CT/chest" @param id of the protocol; null: the one that suits best */
export function rememberChoice(settings, kind, id) {
  const { [kind]: before, ...others } = settings?.get("hanging") ?? {};
  if (id === null && before === undefined) return null;
  return settings?.save({ hanging: id === null ? others : { ...others, [kind]: id } });
}
