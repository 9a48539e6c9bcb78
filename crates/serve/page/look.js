// Light or dark: as the system has it, until the reader says otherwise.

const KEY = "maobi-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be off.
  }
}

function apply() {
  document.documentElement.dataset.theme = stored() ?? (system.matches ? "dark" : "light");
}

export function start(button) {
  apply();
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Then it holds for this visit.
    }
    document.documentElement.dataset.theme = next;
  });
}
