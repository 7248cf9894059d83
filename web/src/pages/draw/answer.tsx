import { Bars } from "../../parts/bars";
import { Notice } from "../../parts/notice";
import { Segments } from "../../parts/segments";
import type { ModelSummary } from "../../session";
import { address, follow, setParameters } from "../../url";
import { delay, reading, settled, trouble } from "./reading";
import { calibration, inWords } from "./words";

const CONFIDENCES = ["0.8", "0.9", "0.95", "0.99"];

/** The answer in words and bars, and how far it can be trusted. */
export function Answer({ model, confidence }: { model: ModelSummary; confidence: string }) {
  const now = reading.value;
  const words = now ? inWords(now) : null;
  const said = settled.value ? inWords(settled.value) : null;
  return (
    <section class="panel answer" aria-labelledby="answer-title">
      <h2 id="answer-title">The answer</h2>
      <p class="readout" aria-hidden="true">{words ? <>{words.headline}{words.share ? <span>{words.share}</span> : null}</> : <span class="nothing">–</span>}</p>
      <p class="detail" aria-hidden="true">{words ? words.detail : model.reads === "photos" ? "It answers as soon as there is a picture." : "It answers while you draw."}<Truth /></p>
      <p class="unseen" role="status">{said ? `${said.headline}${said.share ? `, ${said.share}` : ""}. ${said.detail}` : ""}</p>
      {trouble.value ? <Notice kind="error">{trouble.value}</Notice> : null}
      <Bars
        caption="Probability of each label"
        labels={model.labels}
        probabilities={now?.probabilities ?? []}
        marked={new Set(now?.set ?? [])}
      />
      <p class="hint calibration">{now ? calibration(now) : "\u00a0"}</p>
      <Confidence model={model} confidence={confidence} />
      <div class="row end">
        <a class="button first" href={address("/inside", { model: model.name, sample: now?.sample ?? null })} onClick={follow}>Look inside</a>
        <small class="number">{delay.value === null ? "" : `${Math.round(delay.value)} ms from stroke to answer`}</small>
      </div>
    </section>
  );
}

function Truth() {
  const truth = reading.value?.truth;
  if (truth === undefined || truth === null) return null;
  return <> {truth === reading.value!.label ? `Right: it is ${truth}.` : `Wrong: it is ${truth}.`}</>;
}

function Confidence({ model, confidence }: { model: ModelSummary; confidence: string }) {
  if (!model.has_confidence) {
    return <p class="hint">This network cannot give labels with a stated confidence: that takes samples held out of its training (a validation set).</p>;
  }
  return (
    <div class="field">
      <span class="label" aria-hidden="true">Confidence</span>
      <Segments
        legend="Confidence" name="confidence" value={confidence || "none"} describedBy="confidence-hint"
        options={[["none", "None"], ...CONFIDENCES.map((one) => [one, `${Math.round(100 * Number(one))}%`] as const)]}
        onChange={(confidence) => setParameters({ confidence }, true)}
      />
      <small id="confidence-hint">It names enough labels for the true one to be among them this often.</small>
    </div>
  );
}
