import { spawn } from 'node:child_process'
import type { CliIo } from './io.ts'

/** Shows an address in the user's browser, where a person sits before one: a terminal, no CI, and on Linux a display. */
export function openBrowser({ env, isTty }: CliIo, url: string): void {
  const isMac = process.platform === 'darwin'
  if (!isTty.stdout || env.CI || !(isMac || env.DISPLAY || env.WAYLAND_DISPLAY)) return
  const child = spawn(isMac ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true })
  // A machine without a browser is no error: the address is printed too.
  child.on('error', () => undefined)
  child.unref()
}
