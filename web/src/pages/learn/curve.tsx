import { short } from "../../numbers";

export interface Line {
  x: number[];
  y: number[];
  other?: boolean; // the second line: orange and dashed
}

export interface Point {
  x: number;
  y: number;
  other?: boolean;
  name?: string;
  below?: boolean; // where the name stands
}

interface Props {
  lines: Line[];
  points?: Point[];
  low?: number; // bounds of y; default: those of the lines
  high?: number;
  across: string; // what goes to the right
  up: string;
  label: string; // the whole in a sentence, for those who do not see it
}

const WIDTH = 420;
const HEIGHT = 240;
const LEFT = 46;
const BOTTOM = 34;
const TOP = 26; // what goes upwards is named there, above the lines

/** Lines over one axis, with points on them. */
export function Curve({ lines, points = [], low, high, across, up, label }: Props) {
  const xs = lines.flatMap((line) => line.x);
  const ys = lines.flatMap((line) => line.y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = padded(low ?? Math.min(...ys), high ?? Math.max(...ys));
  const x = (value: number) => LEFT + ((value - left) / (right - left)) * (WIDTH - LEFT - 10);
  const y = (value: number) => HEIGHT - BOTTOM - ((value - bottom) / (top - bottom)) * (HEIGHT - BOTTOM - TOP);
  const inside = (value: number) => Math.min(top, Math.max(bottom, value));
  return (
    <svg class="curve" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path class="axis" d={`M${LEFT} ${y(inside(0))}H${WIDTH - 10}M${x(Math.min(right, Math.max(left, 0)))} ${TOP}V${HEIGHT - BOTTOM}`} />
      {[bottom, top].map((value) => <text key={value} x={LEFT - 6} y={y(value) + 4} text-anchor="end">{short(value, 2)}</text>)}
      {[left, right].map((value, i) => (
        <text key={value} x={x(value)} y={HEIGHT - BOTTOM + 16} text-anchor={i ? "end" : "start"}>{short(value, 2)}</text>
      ))}
      <text x={(LEFT + WIDTH) / 2} y={HEIGHT - 4} text-anchor="middle">{across}</text>
      <text x={LEFT} y={12}>{up}</text>
      {lines.map((line, i) => (
        <path key={i} class={line.other ? "line other" : "line"} d={line.x.map((at, k) => `${k ? "L" : "M"}${x(at).toFixed(2)} ${y(inside(line.y[k]!)).toFixed(2)}`).join("")} />
      ))}
      {points.map((point, i) => (
        <g key={i}>
          <circle class={point.other ? "point other" : "point"} cx={x(Math.min(right, Math.max(left, point.x)))} cy={y(inside(point.y))} r="6" />
          {point.name ? <text x={x(point.x) + 9} y={y(inside(point.y)) + (point.below ? 18 : -8)}>{point.name}</text> : null}
        </g>
      ))}
    </svg>
  );
}

function padded(low: number, high: number): [number, number] {
  return high > low ? [low, high] : [low - 1, high + 1];
}
