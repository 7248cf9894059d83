import { useEffect, useRef, useState } from "preact/hooks";
import { get, type Packed, unpack } from "../../api";
import { useDropAndPaste } from "../../parts/use-drop";
import { address, parameter } from "../../url";
import { picture } from "./pixels";

interface Example {
  sample: string;
  label: string | number | null;
  seen: Packed;
}

interface Props {
  model: string;
  title: string; // what the examples are
  onFile: (file: Blob) => void;
  onSample: (word: string) => void;
}

const SHOWN = 10;

/** Other pictures to read: test samples, and any picture file, which may be chosen, dropped or pasted. */
export function Pictures({ model, title, onFile, onSample }: Props) {
  const [examples, setExamples] = useState<Example[] | null>(null); // null: on their way
  const input = useRef<HTMLInputElement>(null);
  const isOver = useDropAndPaste(onFile);
  useEffect(() => {
    const stop = new AbortController();
    get<{ samples: Example[] }>(address("/api/digits", { model, count: SHOWN }), stop.signal).then(
      ({ samples }) => setExamples(samples),
      () => setExamples([]), // then there are none to try
    );
    return () => stop.abort();
  }, [model]);
  const chosen = parameter("sample");
  return (
    <div class="pictures">
      {examples?.length === 0 ? null : (
        <>
          <h2 id="examples-title">{title}</h2>
          <div class="examples" role="group" aria-labelledby="examples-title">
            {examples?.map((one) => (
              <button
                key={one.sample} type="button" class="example" aria-pressed={one.sample === chosen} aria-label={one.label === null ? one.sample : `${one.label}, ${one.sample}`}
                onClick={() => onSample(one.sample)}
              >
                <Thumbnail seen={one.seen} />
              </button>
            )) ?? Array.from({ length: SHOWN }, (_, i) => <i key={i} class="example" />)}
          </div>
        </>
      )}
      <input
        ref={input} type="file" accept="image/*" hidden
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = ""; // so that the same file can be chosen again
          if (file) onFile(file);
        }}
      />
      <div class="row">
        <button type="button" onClick={() => input.current!.click()}>Open a picture</button>
        <small>or drop or paste one anywhere on this page</small>
      </div>
      {isOver ? <div class="drop">Drop the picture, and the network will read it</div> : null}
    </div>
  );
}

function Thumbnail({ seen }: { seen: Packed }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows = 1, columns = 1] = seen.shape;
  useEffect(() => canvas.current!.getContext("2d")!.putImageData(picture(unpack(seen), false), 0, 0), [seen]);
  return <canvas ref={canvas} width={columns} height={rows} aria-hidden="true" />;
}
