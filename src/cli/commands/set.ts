import type { Client } from '../../client/client.ts'
import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderSubjectTable } from '../views/human/people.ts'
import { showTime } from '../views/human/time.ts'

/** `heddle subject set bob facility_ids=f1,f2`: the named attributes change, the others stay; `name=` removes one. */
export async function setSubject(context: Context): Promise<number> {
  const client = await context.client()
  const name = context.args[0]!
  const before = (await client.subjects()).items.find((subject) => subject.name === name)
  const attributes = { ...before?.attributes }
  for (const text of context.args.slice(1)) {
    const [, attribute, values] = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(text!) ?? []
    if (attribute === undefined) throw fail('CLI_USAGE_INVALID', { what: `"${text}" is no attribute=value,value` })
    if (values === '') delete attributes[attribute]
    else attributes[attribute] = values!.split(',').map((value) => value.trim())
  }
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, name, attributes }, () => [
      `Would set the attributes of ${name} to ${JSON.stringify(attributes)}`,
    ])
    return EXIT.ok
  }
  const subject = await client.setAttributes(name, attributes)
  context.print(subject, (style) => renderSubjectTable([subject], style))
  return EXIT.ok
}

/** The token alone is on stdout, so that it can go straight into a file or a secret store; what to know of it is on stderr. */
export async function createToken(context: Context): Promise<number> {
  const client = await context.client()
  if (context.option('kind') === 'read') return createReadToken(context, client)
  const product = await context.product(context.args[0])
  const kind = context.option('kind') as 'git' | 'service'
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, product, kind }, () => [`Would issue a ${kind} token for ${product}`])
    return EXIT.ok
  }
  const issued = await client.createToken(product, kind)
  context.note((style) => [`A ${kind} token of ${product}, until ${showTime(issued.expiresAt, style)}. It is shown once.`])
  context.print(issued, () => [issued.token])
  return EXIT.ok
}

async function createReadToken(context: Context, client: Client): Promise<number> {
  const name = context.option('name')
  if (!name) throw fail('CLI_INPUT_MISSING', { what: 'A token for reading has a name', fix: '--name report' })
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, name, kind: 'read' }, () => [`Would issue a read token called ${name}`])
    return EXIT.ok
  }
  const issued = await client.createReadToken({ name, until: context.option('until') })
  context.note((style) => [`A read token of your own, until ${showTime(issued.expiresAt, style)}. It is shown once.`])
  context.print(issued, () => [issued.token])
  return EXIT.ok
}
