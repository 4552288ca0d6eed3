// Tries the address from where the administrator sits: is it the public one, do WebSockets come through, do the clocks agree?
// The administration is in plain English, as the rest of it is.

const MOST_SKEW_S = 30;
const WAIT_MS = 8000;

const list = document.getElementById("browser");

function say(level, text) {
  const line = document.createElement("li");
  line.className = level;
  line.textContent = text;
  list.append(line);
}

const publicUrl = list.dataset.publicUrl;
if (location.origin === publicUrl) say("good", "This browser came by the public address.");
else say("warning", `This browser came by ${location.origin}, not by ${publicUrl}: links and sockets of the public address were not tried from here.`);

const skew = Math.abs(Date.now() / 1000 - Number(list.dataset.now));
if (skew > MOST_SKEW_S) say("error", `The clocks of this computer and of the server differ by ${Math.round(skew)} s. Let both follow a time server (NTP).`);
else say("good", "The clocks of this computer and of the server agree.");

if (!window.isSecureContext) say("warning", "This browser does not take the connection for a safe one: passkeys and the clipboard do not work here.");

const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/news/`);
const late = setTimeout(() => socket.close(), WAIT_MS);
let opened = false;
socket.addEventListener("open", () => {
  opened = true;
  say("good", "WebSockets come through.");
  socket.close();
});
socket.addEventListener("close", () => {
  clearTimeout(late);
  if (!opened) say("error", "WebSockets do not come through: pictures cannot move. A proxy in between has to pass on the Upgrade and Connection headers.");
});
