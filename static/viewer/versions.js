// Versions of a series as the server counts them. Imports nothing.

const counts = (version) => /^\d+$/.test(version ?? "");

/** True where a series was told of in a version that is not shown yet. Where versions do not count up, any other one is. */
export function newer(told, shown) {
  if (told === undefined || told === null || shown === undefined || shown === null) return true;
  return counts(told) && counts(shown) ? BigInt(told) > BigInt(shown) : told !== shown;
}
