interface Props<Value extends string> {
  legend: string; // read to those who do not see it
  name: string;
  value: Value;
  options: readonly (readonly [value: Value, title: string])[];
  onChange: (value: Value) => void;
  describedBy?: string;
}

/** A choice of one among few: radio buttons as one bar. */
export function Segments<Value extends string>({ legend, name, value, options, onChange, describedBy }: Props<Value>) {
  return (
    <fieldset class="segments" aria-describedby={describedBy}>
      <legend class="unseen">{legend}</legend>
      {options.map(([key, title]) => (
        <label key={key}>
          <input type="radio" name={name} checked={value === key} onChange={() => onChange(key)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}
