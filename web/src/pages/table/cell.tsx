/** One value of the row: a slider or a menu, what should be known of it, and what it contributes. */
import { useId } from "preact/hooks";
import { readable, short } from "../../numbers";
import type { Cell, Control } from "./types";

const MARGIN = 0.25; // of the training rows' range, by which a slider goes beyond it
const DAY = 86_400_000; // milliseconds

interface Props {
  control: Control;
  cell: Cell;
  note: string | null;
  gives: number | null; // to the score; null: not known yet
  share: number; // of the largest, from -1 to 1
  set: (cell: Cell) => void;
}

export function CellControl({ control, cell, note, gives, share, set }: Props) {
  const id = useId();
  return (
    <li class={note ? "cell noted" : "cell"}>
      <label class="name" for={id}>{control.name}</label>
      <div class="control">
        {control.kind === "number" ? <NumberCell id={id} control={control} cell={cell} set={set} /> : null}
        {control.kind === "date" ? <DateCell id={id} control={control} cell={cell} set={set} /> : null}
        {control.kind === "category" || control.kind === "ordered" ? <MenuCell id={id} control={control} cell={cell} set={set} /> : null}
      </div>
      <Gives gives={gives} share={share} name={control.name} />
      <p class="note">{note ?? "\u00a0"}</p>
    </li>
  );
}

function Gives({ gives, share, name }: { gives: number | null; share: number; name: string }) {
  const width = `${50 * Math.abs(share)}%`;
  return (
    <div class="gives">
      <span class="beam" aria-hidden="true"><i class={share < 0 ? "against" : "for"} style={share < 0 ? { right: "50%", width } : { left: "50%", width }} /></span>
      <span class="number"><span class="unseen">{name} contributes </span>{gives === null ? "–" : signed(gives)}</span>
    </div>
  );
}

export function signed(value: number): string {
  const text = readable(value, 3);
  return value > 0 ? `+${text}` : text.replace("-", "\u2212");
}

interface Of<C> {
  id: string;
  control: C;
  cell: Cell;
  set: (cell: Cell) => void;
}

function NumberCell({ id, control, cell, set }: Of<Extract<Control, { kind: "number" }>>) {
  const { low, high, step, start, is_known } = control;
  const value = typeof cell === "number" ? cell : null;
  const [from, to] = reach(low, high, step, value);
  return (
    <>
      <Slider
        id={id} from={from} to={to} step={step} value={value ?? start} low={low} high={high} isOff={value === null}
        words={value === null ? "missing" : String(value)} set={(next) => set(Number(next.toPrecision(12)))}
      />
      <input
        type="number" class="exact" aria-label={`${control.name}, any number`} step="any" value={value ?? ""} placeholder="–"
        onInput={(event) => Number.isFinite(event.currentTarget.valueAsNumber) && set(event.currentTarget.valueAsNumber)}
      />
      <small class="known number">{is_known ? `${short(low, 6)} to ${short(high, 6)} in training` : "range in training not known"}</small>
      <Missing name={control.name} isMissing={value === null} set={(isMissing) => set(isMissing ? null : start)} />
    </>
  );
}

function DateCell({ id, control, cell, set }: Of<Extract<Control, { kind: "date" }>>) {
  const { low, high, start, is_known } = control;
  const text = typeof cell === "string" ? cell.slice(0, 10) : "";
  const at = Date.parse(text) / DAY;
  const value = Number.isFinite(at) ? at : null;
  const [first, last, middle] = [low, high, start].map((date) => Date.parse(date.slice(0, 10)) / DAY) as [number, number, number];
  const [from, to] = reach(first, last, 1, value);
  return (
    <>
      <Slider
        id={id} from={from} to={to} step={1} value={value ?? middle} low={first} high={last} isOff={value === null}
        words={text || "missing"} set={(next) => set(new Date(next * DAY).toISOString().slice(0, 10))}
      />
      <input type="date" class="exact" aria-label={`${control.name}, any date`} value={text} onChange={(event) => set(event.currentTarget.value)} />
      <small class="known number">{is_known ? `${low.slice(0, 10)} to ${high.slice(0, 10)} in training` : "range in training not known"}</small>
      <Missing name={control.name} isMissing={value === null} set={(isMissing) => set(isMissing ? "" : start)} />
    </>
  );
}

interface SliderProps {
  id: string;
  from: number;
  to: number;
  step: number;
  value: number;
  low: number;
  high: number;
  isOff: boolean; // missing: moving it gives a value again
  words: string;
  set: (value: number) => void;
}

/** A slider; the bar below it is where the training rows lay. */
function Slider({ id, from, to, step, value, low, high, isOff, words, set }: SliderProps) {
  const place = (at: number) => `${(100 * (at - from)) / (to - from)}%`;
  return (
    <span class={isOff ? "slider off" : "slider"}>
      <input
        id={id} type="range" min={from} max={to} step={step} value={value} aria-valuetext={words}
        onInput={(event) => set(event.currentTarget.valueAsNumber)}
      />
      <span class="rail" aria-hidden="true"><i style={{ left: place(low), right: `calc(100% - ${place(high)})` }} /></span>
    </span>
  );
}

function Missing({ name, isMissing, set }: { name: string; isMissing: boolean; set: (isMissing: boolean) => void }) {
  return (
    <label class="missing">
      <input type="checkbox" aria-label={`${name} is missing`} checked={isMissing} onChange={(event) => set(event.currentTarget.checked)} />
      <span aria-hidden="true">missing</span>
    </label>
  );
}

function MenuCell({ id, control, cell, set }: Of<Extract<Control, { kind: "category" | "ordered" }>>) {
  const value = cell === null ? "" : String(cell);
  const unseen = control.kind === "category" ? control.unseen : null;
  const isOther = value !== "" && value !== unseen && !control.values.includes(value); // of a row of the table
  return (
    <select id={id} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {control.values.map((one) => <option key={one} value={one}>{one}</option>)}
      {isOther ? <option value={value}>{value}</option> : null}
      <option value="">(missing)</option>
      {unseen === null ? null : <option value={unseen}>({unseen})</option>}
    </select>
  );
}

/** From where to where a slider goes: somewhat beyond the training rows, never below 0 where they are not, and to the value. */
function reach(low: number, high: number, step: number, value: number | null): [number, number] {
  const margin = MARGIN * (high - low);
  const from = Math.min(low >= 0 ? Math.max(0, low - margin) : low - margin, value ?? Infinity);
  const to = Math.max(high + margin, value ?? -Infinity);
  return [round(Math.floor(from / step) * step), round(Math.ceil(to / step) * step)];
}

const round = (number: number) => Number(number.toPrecision(12));
