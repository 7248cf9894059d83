import { count, short } from "../../../numbers";
import type { Histogram as Counts } from "../types";

const WIDTH = 120;
const HEIGHT = 36;

/** How numbers are spread, as one path; below it the smallest and the largest. */
export function Histogram({ title, of, counts }: { title: string; of: string; counts: Counts | null | undefined }) {
  const bars = counts?.counts ?? [];
  const total = bars.reduce((sum, n) => sum + n, 0);
  const label = counts
    ? `${title} of ${of}: ${count.format(total)} numbers from ${short(counts.low, 3)} to ${short(counts.high, 3)}`
    : `${title} of ${of}: none`;
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path d={outline(bars)} />
        {counts && counts.low < 0 && counts.high > 0 ? (
          <path class="zero" d={`M${(-WIDTH * counts.low) / (counts.high - counts.low)} 0V${HEIGHT}`} />
        ) : null}
      </svg>
      <figcaption class="numbers">
        <span>{counts ? brief(counts.low) : " "}</span> <b>{title}</b> <span>{counts ? brief(counts.high) : " "}</span>
      </figcaption>
    </figure>
  );
}

/** As short as it can be: there is little room. */
const brief = (value: number) => short(value, Math.abs(value) < 0.1 ? 1 : 2);

function outline(bars: readonly number[]): string {
  const most = Math.max(1, ...bars);
  const wide = WIDTH / Math.max(1, bars.length);
  const tops = bars.map((n, i) => `L${(i * wide).toFixed(1)} ${top(n, most)}L${((i + 1) * wide).toFixed(1)} ${top(n, most)}`);
  return `M0 ${HEIGHT}${tops.join("")}L${WIDTH} ${HEIGHT}Z`;
}

/** Square roots, so that a bar of a hundredth is still seen. */
function top(n: number, most: number): string {
  return (HEIGHT * (1 - 0.96 * Math.sqrt(n / most))).toFixed(1);
}
