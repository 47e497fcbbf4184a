// Small conveniences on top of pages that work without them. No data is kept here.
"use strict";

// An open menu closes when something else is clicked or Escape is pressed.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// What is loaded into a dialog opens it; "Back" and Escape close it, and the focus returns to where it was.
document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.detail.target?.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
});
document.addEventListener("click", (event) => {
  const dialog = event.target.closest("[data-dialog-close]")?.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  dialog.close();
});
document.addEventListener("close", (event) => event.target.matches("dialog") && event.target.replaceChildren(), true);

// A form that is on its way cannot be sent twice; what it does can take seconds, so its button says so.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.target.method !== "post" || event.defaultPrevented) return;
  window.setTimeout(() => {
    button.disabled = true;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
