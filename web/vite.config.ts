import { defineConfig } from "vite";

/** Static files that the Python package carries. Names hold a hash of the content, so they may be cached for ever. */
export default defineConfig({
  base: "/",
  build: {
    outDir: "../src/pellucid/apps/studio/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy knows no data: scripts
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
