// The band over a study that is seen by an emergency access: until when, by the reader's clock.

const time = document.querySelector("#emergency-band time");
if (time) {
  const until = new Date(time.dateTime);
  time.textContent = until.toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit" });
}
