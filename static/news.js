// News of the server (a study arrived, a series grew) as events; comes back by itself. Imports nothing.

const SIGNED_OUT = new Set([4401, 4403]);

/** Calls `told(message)` for every piece of news, and `again()` when the line was broken and stands again (something may
 *  have been missed). Returns a function that ends it. */
export function listenToNews(told, again = () => {}) {
  let attempt = 0;
  let socket = null;
  let timer = null;
  let ended = false;
  let broken = false;
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/news/`;
  const connect = () => {
    socket = new WebSocket(address);
    socket.onopen = () => {
      attempt = 0;
      if (broken) again();
      broken = false;
    };
    socket.onmessage = (event) => {
      try {
        told(JSON.parse(event.data));
      } catch {
        // a piece of news that cannot be read is no reason to stop listening
      }
    };
    socket.onclose = ({ code }) => {
      if (ended || SIGNED_OUT.has(code)) return;
      broken = true;
      timer = setTimeout(connect, Math.min(30000, 500 * 2 ** attempt) * (1 + Math.random() / 4));
      attempt += 1;
    };
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket.close();
  };
}
