// Small conveniences on top of pages that work without them. No data is kept here.
"use strict";

// The selection bar of the timeline: how many changes are ticked, and a tick for all that are shown.
function showSelection(form) {
  const boxes = [...form.querySelectorAll("input[name=change]")];
  const chosen = boxes.filter((box) => box.checked);
  const bar = form.querySelector("[data-selection-bar]");
  if (!bar) return;
  bar.classList.toggle("idle", chosen.length === 0);
  bar.querySelector("[data-selection-count]").textContent =
    chosen.length === 1 ? "1 change selected" : `${chosen.length} changes selected`;
  for (const box of boxes) box.closest("tr").classList.toggle("selected", box.checked);
  const all = form.querySelector("[data-select-all]");
  if (all) {
    all.checked = boxes.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}

function showSelections() {
  document.querySelectorAll("form[data-selection]").forEach(showSelection);
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) {
    form.querySelectorAll("input[name=change]").forEach((box) => (box.checked = event.target.checked));
  }
  showSelection(form);
});

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

document.addEventListener("htmx:load", showSelections);
document.addEventListener("DOMContentLoaded", showSelections);
