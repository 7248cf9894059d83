import { css, diverging } from "../../colors";
import { short } from "../../numbers";
import { isDark } from "../../theme";

const STEPS = 24;
const NOTHING = 1e-12; // the scale of zeros

/** What the colors mean, with numbers. */
export function Legend({ scale, of, what }: { scale: number; of: string; what: string }) {
  const dark = isDark.value;
  const most = scale <= NOTHING ? "0" : short(scale, 3);
  return (
    <div class="legend">
      <span>{what} <b>{of}</b></span>
      <span class="number">{most === "0" ? most : `−${most}`}</span>
      <span class="scale" aria-hidden="true">
        {Array.from({ length: STEPS + 1 }, (_, i) => <i key={i} style={{ background: css(diverging((2 * i) / STEPS - 1, dark)) }} />)}
      </span>
      <span class="number">{most}</span>
    </div>
  );
}
