// The way to the page that puts a study right, for whoever may: the page says for which organizations that is. Imports nothing.

export const mayCorrect = ({ organization }) => (document.body.dataset.corrects ?? "").split(" ").includes(organization);

export const correctAddress = ({ study_instance_uid: uid, organization }) => `/studies/${encodeURIComponent(uid)}/correct/?${new URLSearchParams({ organization })}`;
