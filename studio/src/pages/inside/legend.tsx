import { css, diverging } from "../../colors";
import { short } from "../../numbers";
import { isDark } from "../../theme";

const STEPS = 24;

/** What the colors mean, with numbers. */
export function Legend({ scale, of, what }: { scale: number; of: string; what: string }) {
  const dark = isDark.value;
  return (
    <div class="legend">
      <span>{what} <b>{of}</b></span>
      <span class="number">−{short(scale, 3)}</span>
      <span class="scale" aria-hidden="true">
        {Array.from({ length: STEPS + 1 }, (_, i) => <i key={i} style={{ background: css(diverging((2 * i) / STEPS - 1, dark)) }} />)}
      </span>
      <span class="number">{short(scale, 3)}</span>
    </div>
  );
}
