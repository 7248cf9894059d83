import { digitsFor, percent, short } from "../../numbers";
import { Notice } from "../../parts/notice";
import { model } from "../../session";
import { numberParameter, parameter, setParameters } from "../../url";
import { Curve } from "./curve";
import type { LabelReading } from "../draw/reading";
import { about } from "./inside";
import { useGet } from "../../use-get";

const SHARES = Array.from({ length: 199 }, (_, i) => (i + 1) / 200);

/** -ln p over p, with the probability that the real network gives to the truth. */
export function Loss() {
  const { value, error } = useGet<LabelReading>(about("/api/sample"));
  if (error) return <Notice kind="error">{error}</Notice>;
  if (!value) return <p class="waiting">Loading a picture ...</p>;
  const labels = model.value!.labels.map(String);
  const truth = Math.max(0, labels.indexOf(parameter("truth", String(value.truth ?? value.label))));
  const real = value.probabilities[truth]!;
  const p = numberParameter("p", Math.min(0.995, Math.max(0.005, real)));
  const digits = { entropy: digitsFor(-Math.log(p), (n) => -Math.log(n(p))), square: digitsFor((1 - p) ** 2, (n) => (1 - n(p)) ** 2) };
  return (
    <div class="workbench">
      <div>
        <Curve
          lines={[{ x: SHARES, y: SHARES.map((one) => -Math.log(one)) }, { x: SHARES, y: SHARES.map((one) => (1 - one) ** 2), other: true }]}
          points={[{ x: p, y: -Math.log(p) }, { x: p, y: (1 - p) ** 2, other: true }]}
          low={0} across="probability p of the truth" up="cross-entropy −ln p; dashed: the squared error (1 − p)²"
          label="The cross-entropy and the squared error over the probability of the truth"
        />
      </div>
      <div>
        <div class="field">
          <label for="truth">The truth</label>
          <select id="truth" value={labels[truth]} onChange={(event) => setParameters({ truth: event.currentTarget.value, p: null })}>
            {labels.map((one) => <option key={one}>{one}</option>)}
          </select>
          <span class="hint">The network gives {labels[truth]} a probability of {percent(real, 2)}: a loss of {short(-Math.log(real))}.</span>
        </div>
        <div class="range">
          <label for="p">p</label>
          <input id="p" type="range" min="0.005" max="0.995" step="0.005" value={p} onInput={(event) => setParameters({ p: event.currentTarget.value })} />
          <span class="number">{percent(p)}</span>
        </div>
        <p class="sum" role="status">
          −ln {short(p, digits.entropy)} = <b>{short(-Math.log(p))}</b><br />(1 − {short(p, digits.square)})² = <b>{short((1 - p) ** 2)}</b>
        </p>
      </div>
    </div>
  );
}
