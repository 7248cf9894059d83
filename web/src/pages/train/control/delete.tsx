import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { takeFocus } from "../../../parts/focus";
import { forgetModel, openSession } from "../../../session";
import { discard, type LiveRun } from "./live";

interface Props {
  run: LiveRun;
  isGone: () => void; // the page lets go of it
  children: ComponentChildren; // what stands on the button
}

/** Asks before something is lost that was trained and not saved. */
export function Delete({ run, isGone, children }: Props) {
  const [asks, setAsks] = useState(false);
  const isLost = run.now.value.step > 0 && !run.summary.value.saved;
  const gone = async () => {
    forgetModel(run.name);
    isGone();
    await discard(run.name);
    void openSession();
  };
  if (!asks)
    return (
      <button type="button" class="plain" aria-label={`Delete ${run.name}`} onClick={() => (isLost ? setAsks(true) : gone())}>
        {children}
      </button>
    );
  return (
    <span class="row tight">
      Not saved.{" "}
      <button type="button" onClick={gone}>
        Delete {run.name}
      </button>{" "}
      <button type="button" ref={takeFocus} onClick={() => setAsks(false)}>
        Keep
      </button>
    </span>
  );
}
