/** Where a table comes from: a file that is chosen or dropped, the penguins, or one that this studio has already. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, send } from "../../api";
import { Notice } from "../../parts/notice";
import { useDropAndPaste } from "../../parts/use-drop";
import { said } from "../../session";
import { address } from "../../url";
import { chooseTable, table } from "./state";
import type { Tables } from "./types";

const FILES = ".csv,.tsv,.tab,.txt,.gz,.zst,.parquet,.feather,.arrow";
const PENGUINS = "penguins";
const MEGABYTE = 1 << 20;

export function Opener({ children }: { children: ComponentChildren }) {
  const [known, setKnown] = useState<Tables>({ tables: [PENGUINS], most_bytes: Infinity });
  const [trouble, setTrouble] = useState<string | null>(null);
  const [sent, setSent] = useState<string | null>(null); // the file on its way
  const input = useRef<HTMLInputElement>(null);
  const refresh = () => get<Tables>("/api/tables").then(setKnown, (error) => setTrouble(said(error)));
  useEffect(() => void refresh(), [table.value]);
  const take = async (file: File) => {
    setTrouble(null);
    if (file.size > known.most_bytes) return setTrouble(tooLarge(file, known.most_bytes));
    setSent(file.name);
    try {
      chooseTable((await send<{ table: string }>(address("/api/tables", { name: file.name }), file)).table);
    } catch (error) {
      setTrouble(said(error));
    }
    setSent(null);
  };
  const isOver = useDropAndPaste((file) => void take(file));
  const others = known.tables.filter((name) => name !== PENGUINS && name !== table.value);
  return (
    <section class="panel opener" aria-labelledby="opener-title">
      <h2 id="opener-title">{table.value ? <>The table <b>{table.value}</b></> : "Open a table"}</h2>
      <div class="row">
        <input
          ref={input} type="file" accept={FILES} hidden
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = ""; // so that the same file can be chosen again
            if (file) void take(file);
          }}
        />
        <button type="button" class={table.value ? "" : "first"} onClick={() => input.current!.click()}>Open a CSV file</button>
        {table.value === PENGUINS ? null : <button type="button" onClick={() => chooseTable(PENGUINS)}>Take the penguins</button>}
        {others.map((name) => <button key={name} type="button" onClick={() => chooseTable(name)}>Back to {name}</button>)}
        <small>or drop a file anywhere on this page; it stays on this machine</small>
      </div>
      <p class="unseen" role="status">{sent === null ? "" : `Reading ${sent}.`}</p>
      {sent === null ? null : <p class="waiting" aria-hidden="true">Reading {sent} ...</p>}
      {trouble === null ? null : <Notice kind="error">{trouble}</Notice>}
      {children}
      {isOver ? <div class="drop">Drop the table, and see what is in it</div> : null}
    </section>
  );
}

function tooLarge(file: File, most: number): string {
  const [its, limit] = [file.size, most].map((bytes) => `${Math.ceil(bytes / MEGABYTE).toLocaleString("en")} MB`);
  return `${file.name} has ${its}; this page takes files of at most ${limit}. A larger one opens by: pellucid studio ${file.name}`;
}
