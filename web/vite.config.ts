import { defineConfig } from 'vite'

/** The control plane the development server talks to: `HEDDLE_URL=http://127.0.0.1:4000 npx vite web`. */
const controlPlane = process.env.HEDDLE_URL ?? 'http://127.0.0.1:4000'

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // Everything stays a file of its own, so that the page runs under `default-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Mantine marks its files for server components, which there are none of here.
    rolldownOptions: { onwarn: (warning, report) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || report(warning) },
  },
  server: { host: '127.0.0.1', proxy: { '/api': controlPlane, '/git': controlPlane } },
})
