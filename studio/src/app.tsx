import type { ComponentChildren } from "preact";
import { Draw } from "./pages/draw";
import { Inside } from "./pages/inside";
import { Learn } from "./pages/learn";
import { Train } from "./pages/train";
import { Notice } from "./parts/notice";
import { failure, session } from "./session";
import { type Choice, choice } from "./theme";
import { address, follow, parameter, path } from "./url";

const PAGES = [
  { path: "/draw", title: "Draw", page: Draw },
  { path: "/inside", title: "Look inside", page: Inside },
  { path: "/train", title: "Train", page: Train },
  { path: "/learn", title: "Learn", page: Learn },
];

export function App() {
  const current = PAGES.find((one) => path.value === one.path || path.value.startsWith(`${one.path}/`)) ?? PAGES[0]!;
  document.title = `${current.title} · Pellucid studio`;
  const Page = current.page;
  return (
    <>
      <a class="skip" href="#main">Skip to the page</a>
      <Header current={current.path} />
      <main id="main" tabIndex={-1}>
        {failure.value ? <Notice kind="error">{failure.value}</Notice> : null}
        {session.value ? <Page /> : <p class="waiting" role="status">{failure.value ? "" : "Opening the studio ..."}</p>}
      </main>
    </>
  );
}

function Header({ current }: { current: string }) {
  const model = parameter("model");
  return (
    <header class="top">
      <a class="brand" href="/draw" onClick={follow}><Mark /> Pellucid <span>studio</span></a>
      <nav aria-label="Pages">
        {PAGES.map((one) => (
          <a
            key={one.path}
            href={address(one.path, { model: model || null })}
            onClick={follow}
            aria-current={one.path === current ? "page" : undefined}
          >
            {one.title}
          </a>
        ))}
      </nav>
      <ThemeChoice />
    </header>
  );
}

function ThemeChoice() {
  return (
    <label class="theme">
      <span class="unseen">Colors</span>
      <select value={choice.value} onChange={(event) => (choice.value = event.currentTarget.value as Choice)}>
        <option value="system">As the system</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function Mark(): ComponentChildren {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <circle cx="8" cy="8" r="4" class="mark-in" />
      <circle cx="8" cy="24" r="4" class="mark-in" />
      <circle cx="25" cy="16" r="5.5" class="mark-out" />
      <path d="M11.5 9.5 20 13.8M11.5 22.5 20 18.2" class="mark-way" />
    </svg>
  );
}
