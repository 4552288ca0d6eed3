// The exact picture of a pane, waited for. Imports nothing.

const PATIENCE = 60000;

/** What is on the glass, once it is exact: {view, header}. A reader who goes on meanwhile gets the View that was wanted when
 *  this was called, without a header. Null when the pane is emptied, fails, or nothing comes for a minute. */
export function exactOf(viewport, patience = PATIENCE) {
  viewport.stop();
  if (viewport.exact) return Promise.resolve({ view: viewport.header.view, header: viewport.header });
  const { channel, wish } = viewport;
  if (!channel) return Promise.resolve(null);
  const { name, changes } = channel;
  return new Promise((resolve) => {
    const done = (found) => {
      clearTimeout(timer);
      viewport.removeEventListener("painted", look);
      viewport.removeEventListener("state", look);
      resolve(found);
    };
    const look = () => {
      if (viewport.channel !== channel || viewport.state === "failed") done(null);
      else if (channel.name !== name || channel.changes !== changes) done({ view: wish, header: null });
      else if (viewport.exact) done({ view: viewport.header.view, header: viewport.header });
    };
    const timer = setTimeout(done, patience, null);
    viewport.addEventListener("painted", look);
    viewport.addEventListener("state", look);
  });
}
