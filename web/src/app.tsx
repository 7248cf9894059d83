import { useLayoutEffect, useRef } from "preact/hooks";
import { Draw } from "./pages/draw";
import { Inside } from "./pages/inside";
import { Learn } from "./pages/learn";
import { Table } from "./pages/table";
import { Train } from "./pages/train";
import { Notice } from "./parts/notice";
import { failure, session } from "./session";
import { Header } from "./shell/header";
import { ModelBar } from "./shell/model-bar";
import { parameter, path } from "./url";

const PAGES = [
  { path: "/draw", title: "Draw", page: Draw, asks: true }, // asks: a network that can be chosen
  { path: "/inside", title: "Look inside", page: Inside, asks: true },
  { path: "/train", title: "Train", page: Train, asks: false },
  { path: "/table", title: "Table", page: Table, asks: false },
  { path: "/learn", title: "Learn", page: Learn, asks: true },
] as const;

export function App() {
  const current = PAGES.find((one) => path.value === one.path || path.value.startsWith(`${one.path}/`)) ?? home();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    document.title = `${current.title} · Pellucid studio`;
    if (!isFirst.current) focusHeading(main.current!); // so that a screen reader reads the new page, and Tab goes on there
    isFirst.current = false;
  }, [path.value]);
  const Page = current.page;
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <Header pages={PAGES} current={current.path} />
      <main id="main" ref={main} tabIndex={-1}>
        {session.value ? <>{current.asks ? <ModelBar /> : null}<Page /></> : <Opening />}
      </main>
      {session.value && failure.value ? <div class="gone"><Notice kind="error">{failure.value}</Notice></div> : null}
    </>
  );
}

/** The page that suits what the studio was opened with. */
function home() {
  const isOfTables = parameter("table") !== "" || (session.value !== null && (session.value.table !== null || session.value.models[0]?.reads === "table"));
  return PAGES.find(({ path }) => path === (isOfTables ? "/table" : "/draw"))!;
}

function Opening() {
  return failure.value ? <Notice kind="error">{failure.value}</Notice> : <p class="waiting" role="status">Opening the studio ...</p>;
}

function focusHeading(main: HTMLElement): void {
  const heading = main.querySelector("h1");
  if (heading) heading.tabIndex = -1;
  (heading ?? main).focus({ preventScroll: true });
}
