// What the pages need beyond htmx: the theme button, the menu on small screens, one-time links, the ping, the grid.
(() => {
  const root = document.documentElement;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-button]");
    if (button) {
      const order = ["auto", "light", "dark"];
      root.dataset.theme = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
      document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
      window.applyTheme();
      for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = root.dataset.theme;
    }
    const take = event.target.closest("[data-take]");
    if (take) {
      const cell = take.closest("tr").querySelector("[data-cell]");
      cell.value = take.dataset.take;
      cell.focus();
      marked(cell);
    }
  });

  // On small screens the menu is closed until it is asked for; without scripts it is open.
  const menu = document.querySelector(".menu");
  const narrow = matchMedia("(max-width: 60rem)");
  const fit = () => { if (menu) menu.open = !narrow.matches; };
  fit();
  narrow.addEventListener("change", fit);

  // The code of a one-time link stands behind the #, where no server sees it.
  const join = document.querySelector("[data-join]");
  if (join && location.hash.length > 1) {
    join.elements.code.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }
  const zone = document.querySelector("[data-zone]");
  if (zone && zone.value === "UTC") {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if ([...zone.options].some((option) => option.value === here)) zone.value = here;
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      const field = document.querySelector("[data-shortcut='/']");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    }
    // In a grid Enter and the arrows go down and up, as in a sheet.
    if (event.target.matches?.("[data-cell]") && ["Enter", "ArrowDown", "ArrowUp"].includes(event.key) && event.altKey === false) {
      if (event.key !== "Enter" && event.target.value !== event.target.defaultValue) return;
      const cells = [...event.target.form.querySelectorAll("[data-cell]")];
      const next = cells[cells.indexOf(event.target) + (event.key === "ArrowUp" ? -1 : 1)];
      event.preventDefault();
      if (next) { next.focus(); next.select(); }
    }
  });
  const marked = (cell) => cell.closest("tr").classList.toggle("changed", cell.value !== cell.defaultValue);
  document.addEventListener("input", (event) => { if (event.target.matches("[data-cell]")) marked(event.target); });

  // Rows are chosen as in a list of mails: space one, with shift all from the last one on; the arrows go from row to row.
  const choosing = document.querySelector("[data-choosing]");
  if (choosing) {
    const boxes = [...choosing.querySelectorAll("[data-choose]")];
    const every = choosing.querySelector("[data-choose-all]");
    const said = choosing.querySelector("[data-chosen]");
    const hint = said?.innerHTML;
    let last = null;
    let shifted = false;
    const show = () => {
      for (const box of boxes) box.closest("tr").classList.toggle("chosen-row", box.checked);
      const count = boxes.filter((box) => box.checked).length;
      if (said) {
        if (count) said.textContent = count === 1 ? "1 Problem chosen" : `${count} Problems chosen`;
        else said.innerHTML = hint;
      }
      if (every) {
        every.checked = count > 0 && count === boxes.length;
        every.indeterminate = count > 0 && count < boxes.length;
      }
    };
    const range = (from, to, checked) => {
      const [first, end] = [boxes.indexOf(from), boxes.indexOf(to)].sort((one, other) => one - other);
      for (const box of boxes.slice(Math.max(first, 0), end + 1)) box.checked = checked;
    };
    if (every && boxes.length) every.hidden = false;
    choosing.addEventListener("click", (event) => { shifted = event.shiftKey; });
    choosing.addEventListener("keydown", (event) => {
      shifted = event.shiftKey;
      const at = boxes.indexOf(event.target);
      if (at < 0) return;
      if (event.key === " " && event.shiftKey) {
        event.preventDefault();
        range(last ?? event.target, event.target, true);
        last = event.target;
        show();
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const next = boxes[at + (event.key === "ArrowDown" ? 1 : -1)];
        if (!next) return;
        if (event.shiftKey) { event.target.checked = next.checked = true; last = next; show(); }
        next.focus();
      }
    });
    choosing.addEventListener("change", (event) => {
      if (event.target === every) for (const box of boxes) box.checked = every.checked;
      else if (boxes.includes(event.target)) {
        if (shifted && last) range(last, event.target, event.target.checked);
        last = event.target;
      }
      show();
    });
    show();
  }

  // A test's steps are shown as they arrive.
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-ping]");
    if (!form) return;
    event.preventDefault();
    const list = document.getElementById(form.dataset.ping);
    const button = form.querySelector("button");
    list.replaceChildren();
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        list.insertAdjacentHTML("beforeend", value);
      }
    } catch {
      const line = document.createElement("li");
      line.textContent = "The test could not be done: the console did not answer. Reload the page and try again.";
      list.append(line);
    } finally {
      button.disabled = false;
    }
  });
  document.querySelector("[data-ping][data-now]")?.requestSubmit();
})();
