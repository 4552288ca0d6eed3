// Recovery codes: print them, or save them as a file. They are in the page only this once. Imports nothing.

document.getElementById("print")?.addEventListener("click", () => window.print());
document.getElementById("save")?.addEventListener("click", (event) => {
  const codes = [...document.querySelectorAll("#codes code")].map((code) => code.textContent);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([codes.join("\r\n"), "\r\n"], { type: "text/plain" }));
  link.download = event.currentTarget.dataset.name;
  link.click();
  URL.revokeObjectURL(link.href);
});
