/** The state of the studio lives in the address, so that every experiment is a link: which page, and its parameters. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";

interface Place {
  path: string;
  query: URLSearchParams;
}

const place = signal<Place>(parse(location.pathname + location.search));

/** The path of the page: "/draw", "/train", "/learn/3". */
export const path: ReadonlySignal<string> = computed(() => place.value.path);

/** A parameter of the page, or its `fallback`; reading it in a component follows it. */
export function parameter(name: string, fallback = ""): string {
  return place.value.query.get(name) ?? fallback;
}

export function numberParameter(name: string, fallback: number): number {
  const text = place.value.query.get(name);
  return text === null || text === "" || !Number.isFinite(Number(text)) ? fallback : Number(text);
}

type Changes = Record<string, string | number | null>;

/**
 * Changes parameters of this page: null takes one away. `visit` makes an entry in the history of the browser (a choice that
 * the back button should undo); without it the present entry is replaced (a slider on its way).
 */
export function setParameters(changes: Changes, visit = false): void {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, String(value));
  }
  move(address(place.value.path, query), visit);
}

/** The address of a page with these parameters; for `href`. */
export function address(to: string, query: URLSearchParams | Changes = {}): string {
  const pairs = query instanceof URLSearchParams ? query : new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  );
  const text = pairs.toString().replaceAll("%2C", ","); // a comma may stand in a query, and is easier to read
  return text ? `${to}?${text}` : to;
}

/** Goes to an address of the studio. */
export function go(to: string): void {
  move(to, true);
  scrollTo(0, 0);
}

/** For `onClick` of links: stay in the page, unless another tab or window is asked for. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const link = (event.currentTarget as HTMLAnchorElement).href;
  go(link.slice(location.origin.length));
}

function parse(address: string): Place {
  const { pathname, search } = new URL(address, location.origin);
  return { path: pathname, query: new URLSearchParams(search) };
}

/*
 * The place changes at once; the browser's address bar follows a moment later, because browsers refuse a page that writes
 * it hundreds of times, as a slider would.
 */
const MOMENT = 250; // milliseconds
let unwritten: string | null = null;
let timer = 0;

function move(to: string, visit: boolean): void {
  if (visit) {
    write();
    history.pushState(null, "", to);
  } else {
    unwritten = to;
    if (!timer) timer = window.setTimeout(write, MOMENT);
  }
  place.value = parse(to);
}

function write(): void {
  clearTimeout(timer);
  timer = 0;
  if (unwritten !== null) history.replaceState(null, "", unwritten);
  unwritten = null;
}

addEventListener("pagehide", write);
addEventListener("popstate", () => {
  clearTimeout(timer);
  timer = 0;
  unwritten = null;
  place.value = parse(location.pathname + location.search);
});
