import type { Duplex } from 'node:stream'
import type { Push, PushVerdict } from '../../platform/repository.ts'
import { HOOK_NAMES, type HookName } from './hooks.ts'

export type Quarantine = { objectDirectory: string; alternates: string }
export type HookQuestion = { hook: HookName; refs: Push['refs']; quarantine: Quarantine }

const MAX_REFS = 1_000
const LINE_CHARACTERS = 8_192
const REF = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/[^\s\ufffd]+)$/
const ZERO = /^0+$/

/** Reads the questions of one push's hooks from their socket and writes the answers; `answer` must not throw. */
export function answerHooks(socket: Duplex, answer: (question: HookQuestion) => Promise<PushVerdict>): void {
  let rest = ''
  let lines: string[] = []
  socket.setEncoding('utf8')
  // The hook is gone: whatever it asked has no one to be told to.
  socket.on('error', () => {})
  socket.on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > LINE_CHARACTERS) return void socket.destroy()
    for (const line of parts) {
      if (line !== '.') {
        // One line more than allowed is enough to know that there are too many.
        if (lines.length < MAX_REFS + 4) lines.push(line)
        continue
      }
      const asked = parseQuestion(lines)
      lines = []
      const verdict = 'refused' in asked ? Promise.resolve({ accept: false, lines: [asked.refused] }) : answer(asked)
      void verdict.then((given) => socket.destroyed || socket.write(formatVerdict(given)))
    }
  })
}

export function parseQuestion(lines: readonly string[]): HookQuestion | { refused: string } {
  const question: HookQuestion = { hook: 'pre-receive', refs: [], quarantine: { objectDirectory: '', alternates: '' } }
  const hook = HOOK_NAMES.find((name) => name === lines[0])
  if (!hook) return { refused: 'heddle: refused: the hook asked something unknown.' }
  question.hook = hook
  for (const line of lines.slice(1)) {
    const space = line.indexOf(' ')
    const value = line.slice(space + 1)
    switch (line.slice(0, space)) {
      case 'quarantine':
        question.quarantine.objectDirectory = value
        break
      case 'alternates':
        question.quarantine.alternates = value
        break
      default: {
        const found = REF.exec(value)
        if (!found) return { refused: 'heddle: refused: a name in this push is no branch or tag.' }
        question.refs.push({ ref: found[3]!, old: present(found[1]!), new: present(found[2]!) })
      }
    }
  }
  if (question.refs.length > MAX_REFS) {
    return { refused: `heddle: refused: one push may change ${MAX_REFS} branches and tags; push them in parts.` }
  }
  return question
}

/** Each line is shown in a terminal: control characters but tab are taken out. */
export function formatVerdict({ accept, lines }: PushVerdict): string {
  const shown = lines.flatMap((line) => line.split(/\r?\n/)).map((line) => `= ${line.replaceAll(/(?!\t)\p{Cc}/gu, '')}\n`)
  return `${shown.join('')}exit ${accept ? 0 : 1}\n`
}

function present(id: string): string | null {
  return ZERO.test(id) ? null : id
}
