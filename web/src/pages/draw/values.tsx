import { short } from "../../numbers";

const REACH = 1.5; // values go from -REACH to REACH: the sets in the plane lie well within

interface Props {
  count: number;
  word: string; // "xy.0.25,-1.5"
  onChange: (word: string) => void;
}

/** A row of numbers as sliders; two of them also as a place in the plane. */
export function Values({ count, word, onChange }: Props) {
  const values = read(word, count);
  const change = (next: number[]) => onChange(`xy.${next.map((value) => short(value)).join(",")}`);
  return (
    <>
      {count === 2 ? <Plane at={values} onChange={change} /> : null}
      {values.map((value, i) => (
        <label key={i} class="range">
          <span>x<sub>{i + 1}</sub></span>
          <input
            type="range" min={-REACH} max={REACH} step="0.01" value={value}
            onInput={(event) => change(values.map((old, j) => (i === j ? event.currentTarget.valueAsNumber : old)))}
          />
          <span class="number">{value.toFixed(2)}</span>
        </label>
      ))}
    </>
  );
}

/** The first value to the right, the second upwards; the sliders do the same for those who use no pointer. */
function Plane({ at, onChange }: { at: number[]; onChange: (at: number[]) => void }) {
  const put = (event: PointerEvent) => {
    if (!event.buttons) return;
    const plane = event.currentTarget as SVGElement;
    plane.setPointerCapture(event.pointerId);
    const box = plane.getBoundingClientRect();
    const shares = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
    onChange(shares.map((share) => Math.round(200 * REACH * (Math.min(1, Math.max(0, share)) - 0.5)) / 100));
  };
  const [x, y] = [at[0]!, -at[1]!];
  return (
    <svg class="plane" viewBox={`${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`} aria-hidden="true" onPointerDown={put} onPointerMove={put}>
      <path d={`M${-REACH} 0H${REACH}M0 ${-REACH}V${REACH}`} class="axes" />
      <path d={`M${-REACH} ${y}H${REACH}M${x} ${-REACH}V${REACH}`} class="cross" />
      <circle cx={x} cy={y} r="0.06" />
    </svg>
  );
}

function read(word: string, count: number): number[] {
  const values = word.startsWith("xy.") ? word.slice(3).split(",").map(Number) : [];
  return Array.from({ length: count }, (_, i) => (Number.isFinite(values[i]) ? values[i]! : 0));
}
