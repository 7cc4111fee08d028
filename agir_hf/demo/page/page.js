() => {
  // Gradio names its upload buttons otherwise than they read, which voice control cannot follow.
  const named = "button.upload-container[aria-label]";
  const plain = () => document.querySelectorAll(named).forEach((button) => button.removeAttribute("aria-label"));
  new MutationObserver(plain).observe(document.body, { childList: true, subtree: true });
  plain();

  // Gradio takes the second click of a double one for a second wish, and by then the file was read and is gone.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("button.primary")) event.stopImmediatePropagation();
  }, true);

  // A file over the limit is refused here, before it is sent; the server refuses it too.
  const limit_mb = MAX_UPLOAD_MB;
  const refuse = (event, files) => {
    document.getElementById("too-large")?.remove();
    const large = Array.from(files || []).find((file) => file.size > limit_mb * 1e6);
    if (!large) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.type === "change") event.target.value = "";
    const note = document.createElement("div");
    note.id = "too-large";
    note.setAttribute("role", "alert");
    note.addEventListener("click", () => note.remove());
    document.body.append(note);
    note.textContent = `${large.name} has ${Math.ceil(large.size / 1e6)} MB; this page takes up to ${limit_mb} MB: cut it shorter.`;
  };
  document.addEventListener("change", (event) => refuse(event, event.target.files), true);
  document.addEventListener("drop", (event) => refuse(event, event.dataTransfer?.files), true);
}
