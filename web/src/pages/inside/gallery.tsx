import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { scaleOf } from "../../colors";
import { short } from "../../numbers";
import { isDark } from "../../theme";
import { painter } from "./colors";

export interface Tile {
  name: string; // "weights of channel 3"
  rows: number;
  columns: number;
  at: (row: number, column: number) => number;
}

interface Props {
  tiles: Tile[];
  label: string;
  scale?: number; // default: the largest of these numbers
  size: number; // of a tile, CSS pixels
  marked?: number | null;
  onPick?: (tile: number, row: number, column: number) => void;
}

/** Pictures of numbers side by side, in one scale. Pointing at one, or the arrow keys, say its number. */
export function Gallery({ tiles, label, scale, size, marked = null, onPick }: Props) {
  const dark = isDark.value;
  const [at, setAt] = useState<[number, number, number] | null>(null);
  const full = scale ?? Math.max(...tiles.map((tile) => scaleOf(numbersOf(tile))));
  const said = at && tiles[at[0]] ? `${tiles[at[0]]!.name}, row ${at[1]}, column ${at[2]}: ${short(tiles[at[0]]!.at(at[1], at[2]))}` : "";
  const step = (event: KeyboardEvent) => {
    if (event.key === "Enter" && at && onPick) return onPick(...at);
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const [tile, row, column] = at ?? [0, 0, -1];
    const { rows, columns } = tiles[tile]!;
    const [r, c] = [row + way[0]!, column + way[1]!];
    if (c >= columns && tile + 1 < tiles.length) setAt([tile + 1, Math.min(r, tiles[tile + 1]!.rows - 1), 0]);
    else if (c < 0 && tile > 0) setAt([tile - 1, Math.min(r, tiles[tile - 1]!.rows - 1), tiles[tile - 1]!.columns - 1]);
    else setAt([tile, Math.min(rows - 1, Math.max(0, r)), Math.min(columns - 1, Math.max(0, c))]);
  };
  return (
    <figure class="gallery">
      <div class="tiles" role="group" aria-label={`${label}. Use the arrow keys to read the numbers.`} tabIndex={0} onKeyDown={step} onBlur={() => setAt(null)} onPointerLeave={() => setAt(null)}>
        {tiles.map((tile, i) => (
          <Picture key={i} tile={tile} scale={full} size={size} dark={dark} isMarked={marked === i} onPoint={(row, column) => setAt([i, row, column])} onPick={onPick && ((row, column) => onPick(i, row, column))} />
        ))}
      </div>
      <figcaption aria-live="polite">{said || label}</figcaption>
    </figure>
  );
}

interface PictureProps {
  tile: Tile;
  scale: number;
  size: number;
  dark: boolean;
  isMarked: boolean;
  onPoint: (row: number, column: number) => void;
  onPick: ((row: number, column: number) => void) | undefined;
}

function Picture({ tile, scale, size, dark, isMarked, onPoint, onPick }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { rows, columns } = tile;
  useLayoutEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const picture = context.createImageData(columns, rows);
    const paint = painter(picture.data, scale, dark);
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) paint(row * columns + column, tile.at(row, column));
    context.putImageData(picture, 0, 0);
  }, [tile, scale, dark]);
  const placeAt = (event: MouseEvent): [number, number] => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    const row = Math.floor(((event.clientY - top) / height) * rows);
    const column = Math.floor(((event.clientX - left) / width) * columns);
    return [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))];
  };
  const scaleBy = size / Math.max(rows, columns);
  return (
    <canvas
      ref={canvas}
      width={columns}
      height={rows}
      class={isMarked ? "marked" : ""}
      aria-hidden="true"
      style={{ width: `${columns * scaleBy}px`, height: `${rows * scaleBy}px`, cursor: onPick ? "pointer" : "crosshair" }}
      onPointerMove={(event) => onPoint(...placeAt(event))}
      onClick={onPick && ((event) => onPick(...placeAt(event)))}
    />
  );
}

function numbersOf({ rows, columns, at }: Tile): number[] {
  return Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
}

/** Tiles of an array (rows, columns, channels), one a channel. */
export function tilesOf(values: ArrayLike<number>, [rows, columns, channels]: [number, number, number], name: string): Tile[] {
  return Array.from({ length: channels }, (_, channel) => ({
    name: channels > 1 ? `${name}, channel ${channel}` : name,
    rows,
    columns,
    at: (row, column) => values[(row * columns + column) * channels + channel]!,
  }));
}
