import { useEffect, useState } from "preact/hooks";
import { percent, short } from "../../../numbers";
import { latest, type LiveRun } from "../control/live";
import type { Figures } from "../types";

const SECONDS_BETWEEN = 5;

/** Says for those who listen how it goes: after an epoch, but not more often than every few seconds. */
export function Herald({ run }: { run: LiveRun }) {
  const [said, setSaid] = useState({ text: "", at: 0, epoch: -1 });
  const figures = latest(run.past.value, "validation_loss") ?? latest(run.past.value, "loss");
  const state = run.now.value.state;
  const epoch = Math.floor(figures?.epoch ?? 0);
  useEffect(() => {
    const now = performance.now();
    if (!figures || epoch === said.epoch || (state === "running" && now - said.at < 1000 * SECONDS_BETWEEN)) return;
    setSaid({ text: summaryOf(figures, epoch), at: now, epoch });
  }, [epoch, state]);
  return <p class="unseen" role="status">{`${run.name} ${state}. ${said.text}`}</p>;
}

function summaryOf(figures: Figures, epoch: number): string {
  const tested = typeof figures.validation_accuracy !== "number" ? "" : `, validation accuracy ${percent(figures.validation_accuracy)}`;
  return `Epoch ${epoch}: loss ${short(figures.loss ?? figures.validation_loss ?? NaN, 3)}${tested}.`;
}
