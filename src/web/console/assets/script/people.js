
// Copies a link or a token, or hands it to another program of the phone. Without a script one selects it: a touch does.
async function copied(part) {
  try {
    await navigator.clipboard.writeText(part.textContent);
    return true;
  } catch {
    // Over plain HTTP a browser has no clipboard for scripts, and still has the old way.
    getSelection().selectAllChildren(part);
    return document.execCommand("copy");
  }
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (await copied(document.querySelector(".secret"))) button.textContent = "✓ " + button.dataset.copy;
  });
}
for (const button of document.querySelectorAll("[data-share]")) {
  button.hidden = !navigator.share;
  // Whoever changes their mind has shared nothing, and that is no error.
  button.addEventListener("click", () => navigator.share({ url: document.querySelector(".secret").textContent }).catch(() => {}));
}
