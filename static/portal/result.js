// A signed report that is read: printing it. Imports nothing.

document.getElementById("print").addEventListener("click", () => window.print());
