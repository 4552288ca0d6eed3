import { asked, forWhom } from "/static/worklist/filterdialog.js";
import { equal, test } from "./harness.js";

test("a saved filter says in words what it asks", () => {
  equal(asked({}), "To read");
  equal(asked({ tab: "scheduled", body_part: "HEAD", sort: "due" }), "Scheduled · HEAD · Due first");
  equal(asked({ q: "smith", class: "STAT", modality: "CT" }), "To read · smith · STAT · CT");
});

test("a filter is for its owner or for everybody at a site", () => {
  equal(forWhom([["north", "North Hospital"]]), [["", "for me"], ["north", "everybody at North Hospital"]]);
});
