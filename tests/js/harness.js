// A small harness for modules that need no page: `test` collects, `run` answers with what went wrong, by name.

const tests = [];

export function test(name, body) {
  tests.push({ name, body });
}

function plain(_, one) {
  if (one === undefined || Number.isNaN(one) || Math.abs(one) === Infinity) return String(one);
  if (one instanceof Set) return [...one].sort();
  if (one && typeof one === "object" && !Array.isArray(one)) return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
  return one;
}

const written = (value) => JSON.stringify(value, plain);

/** Equal by value, deeply. */
export function equal(have, want, what = "") {
  if (written(have) !== written(want)) throw new Error(`${what && `${what}: `}${written(have)} is not ${written(want)}`);
}

export function near(have, want, by = 1e-9) {
  if (!(Math.abs(have - want) <= by)) throw new Error(`${have} is not within ${by} of ${want}`);
}

export function ok(value, what = "it is not so") {
  if (!value) throw new Error(what);
}

export function throws(body, kind = Error) {
  try {
    body();
  } catch (problem) {
    if (problem instanceof kind) return problem;
    throw new Error(`${problem} is not a ${kind.name}`);
  }
  throw new Error("nothing was thrown");
}

/** {name: "" or what went wrong} of every test of the module that was imported. */
export async function run() {
  const results = {};
  for (const { name, body } of tests) {
    try {
      await body();
      results[name] = "";
    } catch (problem) {
      results[name] = problem.stack ?? String(problem);
    }
  }
  return results;
}
