// The changes selected on the timeline and the reason for the rollback. They are kept for this browser tab, so that
// filters, older rows, errors and going back lose none of them. They are removed when a plan covers them, when they are
// cleared, and when somebody else signs in.
"use strict";

(() => {
  const KEY = "lavawall.selection";
  const owner = document.body.dataset.user;

  // {owner, changes: {id: {tenant, label}}, reason, submitted: [id]}
  function read() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      // Storage is disabled for this site: the selection lasts as long as the page.
    }
    return kept?.owner === owner ? kept : { owner, changes: {}, reason: "", submitted: [] };
  }

  let selection = read();

  function write() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(selection));
    } catch {
      // See read().
    }
  }

  function forget() {
    selection = { owner, changes: {}, reason: "", submitted: [] };
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // See read().
    }
  }

  // If the response is a rollback page, the submitted changes were planned. Any other page means that nothing was planned.
  function settleSubmission() {
    if (selection.submitted.length === 0) return;
    if (document.querySelector("[data-rollback]")) {
      for (const id of selection.submitted) delete selection.changes[id];
      if (Object.keys(selection.changes).length === 0) selection.reason = "";
    }
    selection.submitted = [];
    write();
  }

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const boxes = () => [...document.querySelectorAll("[data-timeline] input[name=change]")];
  const form = () => document.querySelector("form[data-selection]");

  function choose(box) {
    if (box.checked) selection.changes[box.value] = { tenant: box.dataset.tenant, label: box.dataset.label };
    else delete selection.changes[box.value];
  }

  function hidden(id) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "change", value: id });
    return input;
  }

  function listed(id, change) {
    const item = document.createElement("li");
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", className: "button small", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${change.label}`);
    remove.dataset.selectionRemove = id;
    item.append(remove, ` ${change.label} `, Object.assign(document.createElement("span"), { className: "muted", textContent: change.tenant }));
    return item;
  }

  // Updates checkboxes, counts, hidden fields and the list from the selection.
  function show() {
    const bar = form();
    if (!bar) return;
    const shown = boxes();
    for (const box of shown) {
      box.checked = box.value in selection.changes;
      box.closest("tr").classList.toggle("selected", box.checked);
    }
    const ids = Object.keys(selection.changes);
    const visible = new Set(shown.map((box) => box.value));
    const unseen = ids.filter((id) => !visible.has(id));
    const byTenant = new Map();
    for (const { tenant } of Object.values(selection.changes)) byTenant.set(tenant, (byTenant.get(tenant) ?? 0) + 1);

    bar.querySelector("[data-selection-count]").textContent =
      ids.length === 0 ? "Select changes to roll back" : `${plural(ids.length, "change")} selected`;
    bar.querySelector("[data-selection-tenants]").textContent = [...byTenant].map(([name, count]) => `${count} in ${name}`).join(", ");
    const note = bar.querySelector("[data-selection-unseen]");
    note.hidden = unseen.length === 0;
    note.textContent = `${unseen.length} of them ${unseen.length === 1 ? "is" : "are"} hidden by this filter.`;
    bar.querySelector("[data-selection-hidden]").replaceChildren(...unseen.map(hidden));
    bar.querySelector("[data-selection-list]").replaceChildren(...ids.map((id) => listed(id, selection.changes[id])));
    bar.querySelector("[data-selection-tools]").hidden = ids.length === 0;
    bar.classList.toggle("idle", ids.length === 0);

    const all = document.querySelector("[data-select-all]");
    if (all) {
      const ticked = shown.filter((box) => box.checked).length;
      all.checked = shown.length > 0 && ticked === shown.length;
      all.indeterminate = ticked > 0 && ticked < shown.length;
    }
  }

  function showAnew() {
    const bar = form();
    if (bar) bar.elements.reason.value = selection.reason;
    show();
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of boxes()) {
        box.checked = event.target.checked;
        choose(box);
      }
    } else if (event.target.matches("[data-timeline] input[name=change]")) {
      choose(event.target);
    } else {
      return;
    }
    write();
    show();
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches("form[data-selection] [name=reason]")) return;
    selection.reason = event.target.value;
    write();
  });

  document.addEventListener("click", (event) => {
    const remove = event.target.closest("[data-selection-remove]");
    if (remove) delete selection.changes[remove.dataset.selectionRemove];
    else if (event.target.closest("[data-selection-clear]")) selection.changes = {};
    else if (event.target.closest("[data-selection-all]")) {
      for (const box of boxes()) {
        box.checked = true;
        choose(box);
      }
    }
    else return;
    write();
    show();
    form().querySelector("[data-selection-count]").focus();
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-sign-out]")) return forget();
    if (!event.target.matches("[data-plans-changes]")) return;
    selection.submitted = new FormData(event.target).getAll("change");
    write();
  });

  settleSubmission();
  showAnew();
  document.addEventListener("htmx:load", show);
  document.addEventListener("htmx:historyRestore", showAnew);
})();
