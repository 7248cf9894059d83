import { useEffect, useRef } from "preact/hooks";

const LONGEST = 640; // pixels that are kept of a side

/** The photo that was given, as it came. */
export function Photo({ picture }: { picture: HTMLCanvasElement | ImageBitmap | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!picture || !canvas.current) return;
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    canvas.current.width = Math.max(1, Math.round(picture.width * scale));
    canvas.current.height = Math.max(1, Math.round(picture.height * scale));
    canvas.current.getContext("2d")!.drawImage(picture, 0, 0, canvas.current.width, canvas.current.height);
  }, [picture]);
  return (
    <div class="photo">
      {picture ? <canvas ref={canvas} role="img" aria-label="Your picture" /> : <p class="empty">Drop a picture here</p>}
    </div>
  );
}
