import { count, short } from "../../../numbers";
import { Notice } from "../../../parts/notice";
import { type LiveRun, rewind, setRate, trouble } from "./live";
import { play } from "./pace";

/** What the engine says: for a run that diverged, with the way out. */
export function Message({ run }: { run: LiveRun | null }) {
  if (trouble.value) return <Notice kind="error">{trouble.value}</Notice>;
  if (!run) return null;
  const { state, message, learning_rate: rate } = run.now.value;
  if (!message) return null;
  if (state !== "diverged") return <Notice kind={state === "failed" ? "error" : "note"}>{message}</Notice>;
  const back = run.checkpoints.value.findLast((step) => step < run.now.value.step) ?? 0;
  const lower = Number((rate / 10).toPrecision(2));
  const mend = async () => {
    if ((await rewind(run.name, back)) && (await setRate(run.name, lower))) await play(run);
  };
  return (
    <>
      <Notice kind="error">
        {message} A smaller learning rate usually helps: the button goes back and continues with a tenth of it.
        {run.checkpoints.value.length > 1 ? " Or choose a step with “Rewind to” and a rate with “Learning rate now” yourself." : ""}
      </Notice>
      <button type="button" class="first" onClick={mend}>
        Rewind to step {count.format(back)} and continue with a learning rate of {short(lower, 2)}
      </button>
    </>
  );
}
