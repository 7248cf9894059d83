import { unpack } from "../../api";
import { ink } from "../../colors";
import { Heatmap } from "../../parts/heatmap";
import { pixelsWord } from "../../pixels-word";
import type { Reading } from "./reading";
import { Seen } from "./seen";

const MOST_IN_ADDRESS = 4096; // pixels, as in the studio (Python: pellucid/apps/studio/sample_words.py)

interface Props {
  reading: Reading | null;
  shape: number[];
  onChange: (word: string) => void;
}

/** The picture of a network that no pipeline prepares pictures for: its pixels themselves. */
export function Board({ reading, shape, onChange }: Props) {
  const [rows = 1, columns = 1, channels = 1] = shape;
  const pixels = reading ? unpack(reading.seen).values : null;
  const isSmall = channels === 1 && rows * columns <= MOST_IN_ADDRESS;
  if (!isSmall || !(pixels instanceof Uint8Array)) {
    return <><Seen reading={reading} shape={shape} /><p class="hint">{NO_PIPELINE}</p></>;
  }
  const press = async (row: number, column: number) => {
    const next = pixels.slice();
    next[row * columns + column] = next[row * columns + column]! > 127 ? 0 : 255;
    onChange(await pixelsWord(next));
  };
  return (
    <>
      <Heatmap
        values={pixels} rows={rows} columns={columns} width={336}
        color={(one, dark) => ink(one / 255, dark)}
        label={`${rows} by ${columns} pixels`}
        describe={(row, column, one) => `row ${row}, column ${column}: ${one}`}
        pick={press}
      />
      <p class="hint">{NO_PIPELINE} Press on a pixel, or Enter, to change it between 0 and 255.</p>
    </>
  );
}

const NO_PIPELINE = "This network has no pipeline, so it reads no files and no drawings.";
