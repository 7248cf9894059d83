import type { ComponentChildren } from "preact";

/** A sentence that must be read: an error is announced at once, a note when there is time. */
export function Notice({ kind = "note", children }: { kind?: "note" | "error"; children: ComponentChildren }) {
  return <p class={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>{children}</p>;
}
