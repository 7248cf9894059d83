import { type Choice, choice } from "../theme";
import { address, follow, parameter } from "../url";
import { Mark } from "./mark";

export interface PageLink {
  path: string;
  title: string;
  asks: boolean; // a network, for a sample
}

export function Header({ pages, current }: { pages: readonly PageLink[]; current: string }) {
  const model = parameter("model") || null;
  const sample = parameter("sample") || null;
  return (
    <header class="top">
      <a class="brand" href={address("/draw", { model })} onClick={follow}><Mark /> Pellucid <span>studio</span></a>
      <nav aria-label="Pages">
        {pages.map(({ path, title, asks }) => (
          <a key={path} href={address(path, asks ? { model, sample } : { model })} onClick={follow} aria-current={path === current ? "page" : undefined}>
            <span data-text={title}>{title}</span>
          </a>
        ))}
      </nav>
      <ThemeChoice />
    </header>
  );
}

const THEMES: readonly [Choice, string, string][] = [
  ["system", "System", "M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 0 1 0 13"],
  ["light", "Light", "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 .8v1.6M8 13.6v1.6M.8 8h1.6M13.6 8h1.6M2.9 2.9 4 4M12 12l1.1 1.1M2.9 13.1 4 12M12 4l1.1-1.1"],
  ["dark", "Dark", "M13.8 9.7A6.2 6.2 0 0 1 6.3 2.2a6.2 6.2 0 1 0 7.5 7.5z"],
];

function ThemeChoice() {
  return (
    <fieldset class="theme segments">
      <legend class="unseen">Colors</legend>
      {THEMES.map(([value, title, shape]) => (
        <label key={value} title={title}>
          <input type="radio" name="theme" aria-label={title} checked={choice.value === value} onChange={() => (choice.value = value)} />
          <span>
            <svg viewBox="0 0 16 16" aria-hidden="true" fill={value === "system" ? "none" : "currentColor"} stroke="currentColor" stroke-width="1.3">
              <path d={shape} />
              {value === "system" ? <path d="M8 1.5a6.5 6.5 0 0 0 0 13z" fill="currentColor" /> : null}
            </svg>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
