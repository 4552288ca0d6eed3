// Asking once more, a moment later. Imports nothing.

const NEW_KEY = 300;

/** `again` a moment after nobody was known to ask: the session had another key when that left, and the answer that brings the
 *  browser the new one (somebody just proved who they are) is on its way. What is refused for that has changed nothing. */
export const soonAfter = (again) => new Promise((done) => setTimeout(done, NEW_KEY)).then(again);
