// What was dropped or chosen, as a flat list of {file, path}; folders are walked to their ends. Imports nothing.

/** Everything below an entry of the File System API. */
async function* below(entry, path) {
  const name = path ? `${path}/${entry.name}` : entry.name;
  if (entry.isFile) {
    yield { file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: name };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader hands out a hundred entries at a time; an empty answer is the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const one of some) yield* below(one, name);
  }
}

/** Files of a drop. The entries must be taken before the first wait, or the browser forgets them. */
export async function* dropped(transfer) {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  for (const entry of entries) {
    if (!entry) continue;
    if (entry instanceof File) yield { file: entry, path: entry.name };
    else yield* below(entry, "");
  }
}

/** Files of a file input. */
export function chosen(list) {
  return [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

const LEFT_OUT = new Set([".ds_store", "thumbs.db", "desktop.ini"]);

/** Leavings of operating systems, which nobody means to send. */
export const worthSending = ({ path, file }) => file.size > 0 && !LEFT_OUT.has(path.split("/").at(-1).toLowerCase()) && !path.includes("__MACOSX/");
