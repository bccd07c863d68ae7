import { fail } from '../core/fail.ts'
import type { Context } from './context.ts'

/** Whether a person can be asked here: `--no-input`, `--json`, CI and pipes say no. */
export function canAsk({ flags, io }: Context): boolean {
  return flags.input && !flags.json && io.isTty.stdin && io.isTty.stderr && !io.env.CI
}

/** Yes or no; `--yes` answers, a cancelled question is a no. @throws CLI_INPUT_MISSING where nobody can be asked */
export async function confirm(context: Context, question: string): Promise<boolean> {
  if (context.flags.yes) return true
  if (!canAsk(context))
    throw fail('CLI_INPUT_MISSING', {
      what: `Nobody can answer "${question}" here`,
      fix: 'Add --yes, or --dry-run to only look.',
    })
  const { confirm: ask } = await import('@clack/prompts')
  return (await ask({ message: question, input: context.io.stdin, output: context.io.stderr })) === true
}

/** One line of text. @throws CLI_INPUT_MISSING naming the flag that answers */
export async function askText(
  context: Context,
  { question, flag, check }: { question: string; flag: string; check?: (text: string) => string | undefined },
): Promise<string> {
  if (!canAsk(context)) throw missing(question, flag)
  const { text, isCancel } = await import('@clack/prompts')
  const answer = await text({
    message: question,
    input: context.io.stdin,
    output: context.io.stderr,
    validate: (given) => check?.(given ?? ''),
  })
  if (isCancel(answer)) throw missing(question, flag)
  return answer
}

/** One of a list. @throws CLI_INPUT_MISSING */
export async function askChoice(
  context: Context,
  { question, flag, choices }: { question: string; flag: string; choices: readonly string[] },
): Promise<string> {
  if (!canAsk(context) || choices.length === 0) throw missing(question, flag)
  const { select, isCancel } = await import('@clack/prompts')
  const answer = await select({
    message: question,
    input: context.io.stdin,
    output: context.io.stderr,
    options: choices.map((value) => ({ value })),
  })
  if (isCancel(answer)) throw missing(question, flag)
  return answer
}

export async function readAll({ io }: Context): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks).toString('utf8')
}

function missing(question: string, flag: string) {
  return fail('CLI_INPUT_MISSING', { what: `Not given: ${question}`, fix: `Give ${flag}.` })
}
