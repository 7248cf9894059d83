/** One setting: its name, its control, and a line that says what it does. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { short } from "../../../numbers";
import type { Control, Setting } from "./settings";

interface Props {
  setting: Setting;
  value: unknown;
  set: (value: string | number | boolean) => void;
}

export function SettingControl({ setting, value, set }: Props) {
  const id = useId();
  return (
    <div class={ON_ONE_LINE.has(setting.control.kind) ? "setting line" : "setting"}>
      <label for={id}>{setting.title}</label>
      <div class="control">{controlOf(setting.control, { id, title: setting.title, value, set })}</div>
      <p class="hint" id={`${id}-help`}>
        {setting.help}
      </p>
    </div>
  );
}

const ON_ONE_LINE: ReadonlySet<Control["kind"]> = new Set(["whole", "choice", "switch"]);

interface Wiring {
  id: string;
  title: string;
  value: unknown;
  set: (value: string | number | boolean) => void;
}

function controlOf(control: Control, { id, title, value, set }: Wiring): ComponentChildren {
  const described = { id, "aria-describedby": `${id}-help` };
  switch (control.kind) {
    case "switch":
      return (
        <input {...described} type="checkbox" checked={value === true} onChange={(event) => set(event.currentTarget.checked)} />
      );
    case "choice":
      return (
        <select {...described} value={String(value)} onChange={(event) => set(event.currentTarget.value)}>
          {control.options.map((option) => (
            <option key={option} value={option}>
              {option.replaceAll("_", " ")}
            </option>
          ))}
        </select>
      );
    case "whole":
      return <NumberField {...described} value={Number(value)} low={control.low} high={control.high} step={1} set={set} />;
    case "range":
      return (
        <Slider
          {...described}
          title={title}
          value={Number(value)}
          low={control.low}
          high={control.high}
          step={control.step}
          set={set}
        />
      );
    case "log":
      return <LogSlider {...described} title={title} value={Number(value)} {...control} set={set} />;
  }
}

interface NumberProps {
  id?: string;
  title?: string;
  value: number;
  low: number;
  high: number;
  step: number | "any";
  isDisabled?: boolean;
  set: (value: number) => void;
  "aria-describedby"?: string;
}

/** A number that takes effect when it is finished: with Enter, or on leaving the field. */
export function NumberField({ value, low, high, step, set, title, isDisabled = false, ...rest }: NumberProps) {
  return (
    <input
      {...rest}
      class="numbers"
      type="number"
      aria-label={title}
      value={value}
      min={low}
      max={high}
      step={step}
      disabled={isDisabled}
      onChange={(event) => {
        const { valueAsNumber: wanted } = event.currentTarget;
        if (Number.isFinite(wanted)) set(Math.min(high, Math.max(low, wanted)));
        else event.currentTarget.value = String(value);
      }}
    />
  );
}

function Slider({ title, ...props }: NumberProps) {
  const { value, low, high, step, set, ...rest } = props;
  return (
    <>
      <input
        {...rest}
        type="range"
        value={value}
        min={low}
        max={high}
        step={step}
        onInput={(event) => set(Number(event.currentTarget.value))}
      />
      <NumberField title={`${title}, as a number`} value={value} low={low} high={high} step={step} set={set} />
    </>
  );
}

const STEPS = 10; // of a slider in a power of ten

interface LogProps {
  id?: string;
  title: string;
  value: number;
  low: number; // powers of ten
  high: number;
  zero?: true;
  isDisabled?: boolean;
  set: (value: number) => void;
  "aria-describedby"?: string;
}

/** A slider over powers of ten: each step is as large, as a factor, as any other. */
export function LogSlider({ title, value, low, high, zero, isDisabled = false, set, ...rest }: LogProps) {
  const left = low * STEPS - (zero ? 1 : 0);
  const place = value > 0 ? Math.round(STEPS * Math.log10(value)) : left;
  const numberAt = (at: number) => (zero && at <= left ? 0 : Number((10 ** (at / STEPS)).toPrecision(2)));
  return (
    <>
      <input
        {...rest}
        type="range"
        value={place}
        min={left}
        max={high * STEPS}
        step={1}
        disabled={isDisabled}
        aria-valuetext={short(value)}
        onInput={(event) => set(numberAt(Number(event.currentTarget.value)))}
      />
      <NumberField
        title={`${title}, as a number`}
        value={value}
        low={zero ? 0 : Number((10 ** (low - 1)).toPrecision(1))}
        high={10 ** high}
        step="any"
        isDisabled={isDisabled}
        set={set}
      />
    </>
  );
}
