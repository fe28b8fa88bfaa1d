// Light or dark before the first paint: what the person chose, else what the machine prefers.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = root.dataset.theme;
    root.setAttribute("data-bs-theme", chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen);
  };
  apply();
  dark.addEventListener("change", apply);
  window.applyTheme = apply;
})();
