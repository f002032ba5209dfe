/** How the dashboard is built: static files with relative addresses, so that any path prefix can serve them. */
import { defineConfig, type Plugin } from 'vite';

const COLLECTOR = 'http://127.0.0.1:8001';

/** In development the API and the feed come from a running collector; it only takes writes from its own origin. */
const toCollector = { target: COLLECTOR, changeOrigin: true, headers: { origin: COLLECTOR } };

/** Templates and sheets keep their line breaks and lose their indentation, which means nothing in HTML and CSS. */
const withoutIndentation: Plugin = {
  name: 'without-indentation',
  apply: 'build',
  enforce: 'pre',
  transform: (code, id) => (/\/src\/.*\.ts$/.test(id) ? code.replace(/\n[ \t]+/g, '\n') : null),
};

/** Lines are drawn straight. What uPlot hangs on itself for other shapes would stay in the bundle unused. */
const straightLinesOnly: Plugin = {
  name: 'straight-lines-only',
  apply: 'build',
  transform: (code, id) =>
    id.includes('/uplot/') ? code.replace(/^\s*\(paths\.(stepped|bars|spline)\s*= \w+\);\n/gm, '') : null,
};

export default defineConfig({
  base: './',
  plugins: [withoutIndentation, straightLinesOnly],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    sourcemap: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': toCollector,
      '/train': toCollector,
      '/start': toCollector,
      '/stop': toCollector,
      '/model': toCollector,
      '/status': toCollector,
      '/metrics': toCollector,
      '/ws': { ...toCollector, ws: true },
    },
  },
});
