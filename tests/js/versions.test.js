import { newer } from "/static/viewer/versions.js";
import { equal, test } from "./harness.js";

test("late news of what is shown already is no news", () => {
  equal(newer("3", "3"), false);
  equal(newer("2", "3"), false);
  equal(newer("10", "9"), true, "versions count up as numbers");
});

test("a version that does not count up is news where it is another one", () => {
  equal(newer("b", "a"), true);
  equal(newer("a", "a"), false);
});

test("what is not known to be shown is news", () => {
  equal(newer(undefined, "3"), true);
  equal(newer("3", undefined), true);
});
