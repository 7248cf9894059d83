import { short } from "../../numbers";
import { Notice } from "../../parts/notice";
import { numberParameter, parameter, setParameters } from "../../url";
import { Curve } from "./curve";
import { useGet } from "../../use-get";

interface Curves {
  z: number[];
  functions: { name: string; values: number[]; slopes: number[] }[];
}

/** Every activation with its slope; z moves along. */
export function Activation() {
  const { value, error } = useGet<Curves>("/api/learn/activations");
  if (!value) return error ? <Notice kind="error">{error}</Notice> : <p class="waiting">Loading the curves ...</p>;
  const chosen = value.functions.find((one) => one.name === parameter("activation", "relu")) ?? value.functions[0]!;
  const nearest = value.z.findIndex((z) => z >= numberParameter("z", 1.5) - 1e-9);
  const at = nearest < 0 ? value.z.length - 1 : nearest;
  const [z, f, slope] = [value.z[at]!, chosen.values[at]!, chosen.slopes[at]!];
  return (
    <div class="workbench">
      <div>
        <Curve
          lines={[{ x: value.z, y: chosen.values }, { x: value.z, y: chosen.slopes, other: true }]}
          points={[{ x: z, y: f }, { x: z, y: slope, other: true }]}
          across="z" up="f(z); dashed: its slope f′(z)"
          label={`The curve of ${chosen.name} and of its slope`}
        />
      </div>
      <div>
        <div class="field">
          <label for="activation">Activation</label>
          <select id="activation" value={chosen.name} onChange={(event) => setParameters({ activation: event.currentTarget.value })}>
            {value.functions.map((one) => <option key={one.name}>{one.name}</option>)}
          </select>
        </div>
        <div class="range">
          <label for="z">z</label>
          <input id="z" type="range" min={value.z[0]} max={value.z.at(-1)} step="0.1" value={z}
            onInput={(event) => setParameters({ z: event.currentTarget.value })} />
          <span class="number">{short(z)}</span>
        </div>
        <p class="sum" role="status">
          {chosen.name}({short(z)}) = <b>{short(f)}</b><br />slope f′({short(z)}) = <b>{short(slope)}</b>
        </p>
        <p class="quiet">If z grows by 0.1, the output grows by about {short(0.1 * slope, 3)}.</p>
      </div>
    </div>
  );
}
