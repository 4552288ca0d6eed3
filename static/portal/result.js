// A signed report that is read: printing it, sharing it.

document.getElementById("print").addEventListener("click", () => window.print());

const share = document.getElementById("share");
share?.addEventListener("click", async () => {
  const { shareDialog } = await import("../share/dialog.js");
  const { study, organization, report } = share.dataset;
  await shareDialog({ study_instance_uid: study, organization }, Number(report));
});
