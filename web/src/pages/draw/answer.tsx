import { short } from "../../numbers";
import { Bars } from "../../parts/bars";
import { Notice } from "../../parts/notice";
import { Segments } from "../../parts/segments";
import type { ModelSummary } from "../../session";
import { address, follow, setParameters } from "../../url";
import { delay, type LabelReading, reading, settled, trouble, type ValueReading } from "./reading";
import { calibration, inWords } from "./words";

const CONFIDENT = {
  labels: { plural: "labels", hint: "It names enough labels for the true one to be among them this often." },
  values: { plural: "intervals", hint: "It makes its intervals wide enough to hold the true value this often." },
};
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
      {model.answers === "labels" ? <Labels model={model} now={now?.answers === "labels" ? now : null} /> : null}
      {now?.answers === "values" && now.values.length > 1 ? <ValuesTable now={now} /> : null}
      <Confidence model={model} confidence={confidence} />
      <div class="row end">
        <a class="button first" href={address("/inside", { model: model.name, sample: now?.sample ?? null })} onClick={follow}>Look inside</a>
        <small class="number">{delay.value === null ? "" : `${Math.round(delay.value)} ms from stroke to answer`}</small>
      </div>
    </section>
  );
}

function Labels({ model, now }: { model: ModelSummary; now: LabelReading | null }) {
  return (
    <>
      <Bars caption="Probability of each label" labels={model.labels} probabilities={now?.probabilities ?? []} marked={new Set(now?.set ?? [])} />
      <p class="hint calibration">{now ? calibration(now) : "\u00a0"}</p>
    </>
  );
}

/** Of a regression with several values: each with its interval, if it has one. */
function ValuesTable({ now: { values, low, high } }: { now: ValueReading }) {
  return (
    <table class="data">
      <caption>The values</caption>
      <thead><tr><th scope="col">value</th><th scope="col">answer</th>{low && high ? <th scope="col">interval</th> : null}</tr></thead>
      <tbody>
        {values.map((value, i) => (
          <tr key={i}>
            <th scope="row">{i}</th>
            <td>{short(value)}</td>
            {low && high ? <td>{short(low[i]!)} to {short(high[i]!)}</td> : null}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Truth() {
  const now = reading.value;
  const truth = now?.truth;
  if (now?.answers !== "labels" || truth === undefined || truth === null) return null;
  return <> {truth === now.label ? `Right: it is ${truth}.` : `Wrong: it is ${truth}.`}</>;
}

/** How often the answer is to hold. */
export function Confidence({ model, confidence }: { model: ModelSummary; confidence: string }) {
  const ofModel = CONFIDENT[model.answers];
  if (!model.has_confidence) {
    return <p class="hint">This network cannot give {ofModel.plural} with a stated confidence: that takes samples held out of its training (a validation set).</p>;
  }
  return (
    <div class="field">
      <span class="label" aria-hidden="true">Confidence</span>
      <Segments
        legend="Confidence" name="confidence" value={confidence || "none"} describedBy="confidence-hint"
        options={[["none", "None"], ...CONFIDENCES.map((one) => [one, `${Math.round(100 * Number(one))}%`] as const)]}
        onChange={(confidence) => setParameters({ confidence }, true)}
      />
      <small id="confidence-hint">{ofModel.hint}</small>
    </div>
  );
}
