/** Where everything stands: layers as columns of cells, of feature maps, or of answers. Pure geometry, in CSS pixels. */
import type { LayerView } from "./types";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Column extends Box {
  layer: LayerView;
  title: Box; // where its name stands
  kind: "cells" | "maps" | "answers";
  across: number; // cells, or maps, in a row
  cell: number; // size of a cell; of a map: of one of its pixels
  mapWidth: number; // of a map
  mapHeight: number;
}

export const GAP = 3; // between maps
const MOST_BETWEEN = 130;
const EDGE = 10;
const CELLS = [26, 22, 18, 15, 13, 11, 9, 8, 7, 6, 5, 4, 3];
const ZOOMS = [8, 7, 6, 5, 4, 3, 2, 1.5, 1, 0.75, 0.5, 0.375, 0.25];
const MOST_ANSWERS = 24; // with a row for each; more are cells
const DENSITIES = [1, 0.9, 0.8, 0.7, 0.6]; // tried one after the other, until the network is in sight as a whole
const UNCHANGED = new Set(["dropout", "dropout2d", "flatten"]); // what gives on what it gets needs less room

/** The columns side by side, spread over `width` if they leave room; and how wide they are together. `unit`: a 16th of the text size. */
export function arrange(layers: LayerView[], width: number, height: number, unit: number): { columns: Column[]; total: number } {
  const tries = DENSITIES.map((density) => tried(layers, height, density, unit));
  const { columns, pitches, filled, between: least } = tries.find((one) => one.filled + one.between * (layers.length - 1) <= width) ?? tries.at(-1)!;
  const free = (width - filled) / Math.max(1, columns.length - 1);
  const between = Math.min(MOST_BETWEEN, Math.max(least, free));
  const total = filled + between * (columns.length - 1);
  let x = EDGE + Math.max(0, (width - total) / 2);
  columns.forEach((column, i) => {
    column.x = Math.round(x + (pitches[i]! - column.width) / 2);
    column.y = Math.round(Math.max(0, (height - column.height) / 2));
    column.title = { x: x - between / 2 + 2, y: 0, width: pitches[i]! + between - 4, height: 0 };
    x += pitches[i]! + between;
  });
  return { columns, total: Math.max(total, width) };
}

interface Try {
  columns: Column[];
  pitches: number[];
  filled: number;
  between: number;
}

function tried(layers: LayerView[], height: number, density: number, unit: number): Try {
  const columns = layers.map((layer) => shaped(layer, height, density, unit));
  const pitches = columns.map((column) => Math.max(column.width, titleWidth(column.layer.name) * unit));
  return { columns, pitches, filled: pitches.reduce((sum, pitch) => sum + pitch, 2 * EDGE), between: 28 * density };
}

/** The room that a name needs, which is broken after each of its parts: "residual_1.", "batch_", "normalization_1". */
function titleWidth(name: string): number {
  return 10 + 6.6 * Math.max(7, ...partsOf(name).map((part) => part.length));
}

export function partsOf(name: string): string[] {
  return name.split(/(?<=[a-z]_)(?!\d)|(?<=\.)/);
}

function shaped(layer: LayerView, height: number, density: number, unit: number): Column {
  const made = { layer, title: { x: 0, y: 0, width: 0, height: 0 }, x: 0, y: 0, mapWidth: 0, mapHeight: 0 };
  if (layer.shape.length > 1) return { ...made, ...maps(layer, height, density) };
  const count = layer.shape[0]!;
  if (layer.name === "output" && count <= MOST_ANSWERS) {
    const row = Math.min(30 * unit, height / count);
    return { ...made, kind: "answers", across: 1, cell: row, width: (density < 0.8 ? 152 : 180) * unit, height: row * count };
  }
  const most = (UNCHANGED.has(layer.kind) ? 60 : count > 1024 ? 230 : 150) * density;
  const fits = (cell: number) => Math.ceil(count / Math.floor(height / cell)) * cell <= most;
  const cell = CELLS.find(fits) ?? CELLS.at(-1)!;
  const across = Math.ceil(count / Math.max(1, Math.floor(height / cell)));
  return { ...made, kind: "cells", across, cell, width: across * cell, height: Math.ceil(count / across) * cell };
}

function maps(layer: LayerView, height: number, density: number): Omit<Column, "layer" | "title" | "x" | "y"> {
  const [rows, columns, channels = 1] = layer.shape as [number, number, number?];
  const most = layer.name === "input" ? 196 * Math.max(0.72, density) : (UNCHANGED.has(layer.kind) ? 100 : 190) * density;
  const acrossAt = (zoom: number) => Math.ceil(channels / Math.max(1, Math.floor((height + GAP) / (rows * zoom + GAP))));
  const fits = (zoom: number) => rows * zoom <= Math.min(height, most) && acrossAt(zoom) * (columns * zoom + GAP) - GAP <= most;
  const cell = ZOOMS.find(fits) ?? ZOOMS.at(-1)!;
  const across = acrossAt(cell);
  const mapWidth = columns * cell;
  const mapHeight = rows * cell;
  const down = Math.ceil(channels / across);
  return { kind: "maps", across, cell, mapWidth, mapHeight, width: across * (mapWidth + GAP) - GAP, height: down * (mapHeight + GAP) - GAP };
}

/** Which number of the layer is drawn at a point; null between them. */
export function numberAt(column: Column, x: number, y: number): number | null {
  x -= column.x;
  y -= column.y;
  if (x < 0 || y < 0 || x >= column.width || y >= column.height) return null;
  const { layer, cell, across } = column;
  if (column.kind !== "maps") {
    const i = Math.floor(y / cell) * across + (column.kind === "cells" ? Math.floor(x / cell) : 0);
    return i < layer.shape[0]! ? i : null;
  }
  const [rows, columns, channels = 1] = layer.shape as [number, number, number?];
  const tile = [Math.floor(x / (column.mapWidth + GAP)), Math.floor(y / (column.mapHeight + GAP))] as const;
  const channel = tile[1] * across + tile[0];
  const place = [Math.floor((y - tile[1] * (column.mapHeight + GAP)) / cell), Math.floor((x - tile[0] * (column.mapWidth + GAP)) / cell)] as const;
  if (channel >= channels || place[0] >= rows || place[1] >= columns) return null;
  return (place[0] * columns + place[1]) * channels + channel;
}

/** Where a number of the layer is drawn. */
export function boxOf(column: Column, flat: number): Box {
  const { layer, cell, across } = column;
  if (column.kind === "answers") return { x: column.x, y: column.y + flat * cell, width: column.width, height: cell };
  if (column.kind === "cells") {
    return { x: column.x + (flat % across) * cell, y: column.y + Math.floor(flat / across) * cell, width: cell, height: cell };
  }
  const [, columns, channels = 1] = layer.shape as [number, number, number?];
  const map = mapBox(column, flat % channels);
  const place = Math.floor(flat / channels);
  return { x: map.x + (place % columns) * cell, y: map.y + Math.floor(place / columns) * cell, width: cell, height: cell };
}

/** Where a feature map is drawn. */
export function mapBox(column: Column, channel: number): Box {
  return {
    x: column.x + (channel % column.across) * (column.mapWidth + GAP),
    y: column.y + Math.floor(channel / column.across) * (column.mapHeight + GAP),
    width: column.mapWidth,
    height: column.mapHeight,
  };
}

/** The number of a column that is drawn nearest to a height, at its left or right side. */
export function nearest(column: Column, y: number, isLeft: boolean): number {
  const inside = Math.min(column.y + column.height - 0.5, Math.max(column.y + 0.5, y));
  const x = isLeft ? column.x + 0.5 : column.x + column.width - 0.5;
  for (let back = 0; back <= column.width; back += column.cell / 2) {
    const found = numberAt(column, isLeft ? x + back : x - back, inside) ?? numberAt(column, isLeft ? x + back : x - back, inside - column.cell);
    if (found !== null) return found;
  }
  return 0;
}

/** Where the arrow keys lead: `dx`, `dy` are -1, 0 or 1; `fine` moves by a pixel in a map. Null: out of the column. */
export function moved(column: Column, flat: number, dx: number, dy: number, fine: boolean): number | null {
  const { layer, across } = column;
  const [rows, columns, channels = 1] = layer.shape.length > 1 ? (layer.shape as [number, number, number?]) : [1, 1, layer.shape[0]!];
  const channel = flat % channels;
  const place = Math.floor(flat / channels);
  if (fine && column.kind === "maps") {
    const [row, at] = [Math.floor(place / columns) + dy, (place % columns) + dx];
    return row >= 0 && row < rows && at >= 0 && at < columns ? (row * columns + at) * channels + channel : flat;
  }
  const [row, at] = [Math.floor(channel / across) + dy, (channel % across) + dx];
  if (at < 0 || at >= across) return null;
  const next = row * across + at;
  if (row < 0 || next >= channels) return dx ? null : flat;
  return place * channels + next;
}
