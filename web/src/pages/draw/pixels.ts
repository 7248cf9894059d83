import type { Numbers } from "../../api";

/** A network's input as a picture; `asInk` turns bright strokes on black, as the digits are, into dark ones on white. */
export function picture({ shape, values }: Numbers, asInk: boolean): ImageData {
  const [rows = 1, columns = 1, channels = 1] = shape;
  const data = new ImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[i * channels + Math.min(c, channels - 1)]!;
      data.data[4 * i + c] = asInk ? 255 - value : value;
    }
    data.data[4 * i + 3] = 255;
  }
  return data;
}

/** The same as a canvas, to be painted from. */
export function pictureCanvas(numbers: Numbers, asInk: boolean): HTMLCanvasElement {
  const data = picture(numbers, asInk);
  const canvas = Object.assign(document.createElement("canvas"), { width: data.width, height: data.height });
  canvas.getContext("2d")!.putImageData(data, 0, 0);
  return canvas;
}
