import type { Clock } from '../core/clock.ts'
import type { LifecycleDeps } from '../lifecycle/deps.ts'
import type { Notices } from '../store/notices.ts'

export type HttpDeps = {
  lifecycle: LifecycleDeps
  clock: Clock
  notices: Notices
  version: string
  /** the data directory's own token: speaks for this machine's user */
  cliToken: string
  /** 32 bytes: seals the cursors of the data port */
  cursorKey: Buffer
  /** the subject that cliToken and one-time URLs stand for */
  localSubject: string
  health(): { state: 'ready' | 'starting'; services: { name: string; state: 'up' | 'starting' | 'down'; detail: string }[] }
  git: {
    handle(
      req: import('node:http').IncomingMessage,
      res: import('node:http').ServerResponse,
      path: { domain: string; product: string; rest: string },
    ): Promise<void>
  }
  /** the built portal, or null when it is not there */
  portalDir: string | null
  log(line: string): void
}
