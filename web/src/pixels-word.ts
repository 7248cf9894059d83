/** Pixels as a word of an address, "px." and what `zlib` makes of them: the studio reads it without remembering anything. */
export async function pixelsWord(pixels: Uint8Array): Promise<string> {
  const stream = new Blob([pixels as BlobPart]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `px.${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}
