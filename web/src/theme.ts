/** Light or dark: as the system has it, unless the reader chose. */
import { computed, effect, signal } from "@preact/signals";

export type Choice = "system" | "light" | "dark";
const KEY = "pellucid-theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const system = signal(systemDark.matches);
systemDark.addEventListener("change", (event) => (system.value = event.matches));

export const choice = signal<Choice>(stored());
export const isDark = computed(() => (choice.value === "system" ? system.value : choice.value === "dark"));

function stored(): Choice {
  const text = localStorage.getItem(KEY);
  return text === "light" || text === "dark" ? text : "system";
}

export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
    localStorage.setItem(KEY, choice.value);
  });
}
