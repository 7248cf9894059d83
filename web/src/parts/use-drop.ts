import { useEffect, useRef, useState } from "preact/hooks";

/** Takes a file that is dropped or pasted anywhere; says whether one is held over the page. */
export function useDropAndPaste(onFile: (file: File) => void): boolean {
  const [isOver, setOver] = useState(false);
  const take = useRef(onFile);
  take.current = onFile;
  useEffect(() => {
    const stop = new AbortController();
    const hold = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const accept = (event: Event, files: FileList | undefined) => {
      setOver(false);
      const file = files?.[0];
      if (!file) return;
      event.preventDefault();
      take.current(file);
    };
    const { signal } = stop;
    addEventListener("dragenter", hold, { signal });
    addEventListener("dragover", hold, { signal });
    addEventListener("dragleave", leave, { signal });
    addEventListener("drop", (event) => accept(event, event.dataTransfer?.files), { signal });
    addEventListener("paste", (event) => accept(event, event.clipboardData?.files), { signal });
    return () => stop.abort();
  }, []);
  return isOver;
}
