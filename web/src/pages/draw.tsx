import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { unpack } from "../api";
import { type ModelSummary, model } from "../session";
import { address, follow, parameter, setParameters } from "../url";
import { Answer } from "./draw/answer";
import { Board } from "./draw/board";
import { Paper, type PaperHandle } from "./draw/paper";
import { Photo } from "./draw/photo";
import { Pictures } from "./draw/pictures";
import { pictureCanvas } from "./draw/pixels";
import { ask, forget, type Reading, reading, show } from "./draw/reading";
import { Seen } from "./draw/seen";
import { Values } from "./draw/values";
import "./draw/draw.css";

const USUAL_CONFIDENCE = "0.9";

/** Draw, and the network answers while the pen moves. */
export function Draw() {
  const chosen = model.value;
  return (
    <>
      <h1>Draw</h1>
      <p class="lede">{chosen ? LEDES[chosen.answers][chosen.reads] : ""}</p>
      {chosen?.reads === "table" ? (
        <p><a class="button first" href={address("/table", { model: chosen.name })} onClick={follow}>Move the values of a row</a></p>
      ) : chosen ? <Desk key={`${chosen.reads} ${chosen.input_shape}`} model={chosen} /> : null}
    </>
  );
}

const LEDES: Record<ModelSummary["answers"], Record<ModelSummary["reads"], string>> = {
  labels: {
    digits: "Draw a digit. The network reads it while you draw.",
    photos: "Show the network a picture, and it says what it sees in it.",
    images: "Change the pixels, and the network says what it sees.",
    points: "Choose a point in the plane, and the network says which class it belongs to.",
    table: "This network reads rows of a table, on the page Table.",
    values: "Choose the numbers, and the network says which class they belong to.",
  },
  values: {
    digits: "Draw a digit. The network answers with a number while you draw.",
    photos: "Show the network a picture, and it answers with a number.",
    images: "Change the pixels, and the network answers with a number.",
    points: "Choose a point in the plane, and the network answers with a number.",
    table: "This network reads rows of a table, on the page Table.",
    values: "Choose the numbers, and the network answers with a number.",
  },
};

/** It stays while networks of one kind answer, and so do the strokes on its paper. */
function Desk({ model }: { model: ModelSummary }) {
  const word = parameter("sample");
  const asked = model.has_confidence ? parameter("confidence", USUAL_CONFIDENCE) : "none";
  const confidence = asked === "none" ? "" : asked;
  const manner = { model: model.name, confidence };
  const paper = useRef<PaperHandle>(null);
  const [under, setUnder] = useState<HTMLCanvasElement | ImageBitmap | null>(null);
  const readsRow = model.reads === "points" || model.reads === "values";
  const readsNumbers = readsRow || model.reads === "images"; // without a pipeline, and with something to begin with

  useLayoutEffect(() => forget, [model.name]); // on leaving, and what another network has read
  const before = useRef(manner);
  useEffect(() => {
    const isSame = before.current.confidence === confidence && reading.value?.sample === word;
    const isOther = before.current.model !== model.name;
    before.current = manner;
    if (isSame) return; // it came from this page
    if (isOther && paper.current?.hasInk()) return readInk(null, true);
    if (!word && !readsNumbers) return clear();
    void show(word, manner).then((answer) => {
      if (!answer) return;
      if (!word) setParameters({ sample: answer.sample });
      if (model.reads === "digits" && !isDrawn(word)) setUnder(pictureCanvas(unpack(answer.seen), true));
    });
  }, [word, confidence, model.name]);

  const drawn = useRef(""); // the word of what lies on the paper already, as it was drawn or dropped
  const isDrawn = (sample: string) => sample !== "" && sample === drawn.current;
  const clear = () => {
    forget();
    drawn.current = "";
    setUnder(null);
    paper.current?.clear();
    if (word) setParameters({ sample: null });
  };
  const readInk = (since: number | null, isEnd: boolean) => {
    const settle = (answer: Reading) => (drawn.current = answer.sample);
    void ask({ manner, picture: () => paper.current!.picture(), since, ...(isEnd ? { settle } : {}) });
  };
  const readFile = (file: Blob) => {
    const settle = async (answer: Reading) => {
      drawn.current = answer.sample;
      const bitmap = await createImageBitmap(file).catch(() => null); // null: only the server reads this kind of file
      setUnder(bitmap ?? pictureCanvas(unpack(answer.seen), model.reads === "digits"));
    };
    void ask({ manner, picture: () => file, since: null, settle });
  };
  const showSample = (sample: string) => {
    drawn.current = "";
    setParameters({ sample }, true);
  };

  const pictures = <Pictures model={model.name} title={EXAMPLES[model.reads as "digits" | "photos"]} onFile={readFile} onSample={showSample} />;
  return (
    <div class={`desk reads-${model.reads}`}>
      <section class="panel" aria-label={readsRow ? "The numbers" : "The picture"}>
        {model.reads === "digits" ? <Paper handle={paper} under={under} onInk={readInk} onClear={clear} /> : null}
        {model.reads === "photos" ? <><Photo picture={under} />{pictures}</> : null}
        {model.reads === "images" ? <Board reading={reading.value} shape={model.input_shape} onChange={(sample) => setParameters({ sample }, true)} /> : null}
        {readsRow ? <Values count={model.input_shape[0]!} word={word} onChange={(sample) => setParameters({ sample })} /> : null}
      </section>
      <Answer model={model} confidence={confidence} />
      {readsNumbers ? null : (
        <div class="beside">
          <section class="panel" aria-labelledby="seen-title">
            <h2 id="seen-title">What the network sees</h2>
            <Seen reading={reading.value} shape={model.input_shape} />
            <p class="hint">{SEEN[model.reads as "digits" | "photos"]}</p>
          </section>
          {model.reads === "digits" ? <section class="panel" aria-label="Other pictures">{pictures}</section> : null}
        </div>
      )}
    </div>
  );
}

const EXAMPLES = {
  digits: "Digits of the test part",
  photos: "Pictures of your folder", // it may have learned from them
};

const SEEN = {
  digits: "The digit is found, cut out, scaled to the size and stroke width of the training digits, and centered.",
  photos: "The picture, scaled to the size of the network's input.",
};
