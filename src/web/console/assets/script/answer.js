
// What came of the press before has the focus, so that it is read first: the first field to be mended, or else what is said,
// of that what went wrong first.
// Who came by an address with a place in it, or into a field that waits for them, stays there.
if (document.activeElement === document.body && !location.hash) {
  const said = ["[aria-invalid]", ".note[role=alert]", ".note[role]"]
    .map((what) => document.querySelector("main " + what)).find((found) => found);
  if (said?.matches(".note")) said.tabIndex = -1;
  said?.focus();
}

// Of two recordings at once nobody hears one.
document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);
