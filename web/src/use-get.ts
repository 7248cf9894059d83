/** Asking the server while a component is shown. */
import { useEffect, useState } from "preact/hooks";
import { type Frame, get, getFrame, silence } from "./api";
import { said } from "./session";

interface Got<T> {
  value: T | null; // stays what it was while the next one is on its way, so that nothing jumps
  error: string | null;
}

/** What `ask` gives for this address; null asks nothing. */
export function useAnswer<T>(path: string | null, ask: (path: string, signal: AbortSignal) => Promise<T>): Got<T> {
  const [got, setGot] = useState<Got<T>>({ value: null, error: null });
  useEffect(() => {
    if (path === null) return;
    const asked = new AbortController();
    ask(path, asked.signal).then(
      (value) => setGot({ value, error: null }),
      (error) => {
        if (asked.signal.aborted || silence.value !== null) return; // silence is told for the whole page
        setGot((old) => ({ value: old.value, error: said(error) }));
      },
    );
    return () => asked.abort();
  }, [path]);
  return got;
}

/** What the server answers at this address, as JSON. */
export function useGet<T>(path: string | null): Got<T> {
  return useAnswer(path, get<T>);
}

/** The same for addresses that answer with a frame. */
export function useFrame<T>(path: string | null): Got<Frame<T>> {
  return useAnswer(path, getFrame<T>);
}
