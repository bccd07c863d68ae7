import { readEntry } from '../catalog/entries.ts'
import { formatProductAddress } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import { levelsOf } from '../observe/levels.ts'
import { listUsage } from '../observe/usage.ts'
import type { Command } from '../run/command.ts'
import { listTriggers } from '../run/forget-resources.ts'
import { archiveName } from './archive-product.ts'
import type { CommandDeps } from './deps.ts'
import { placeOf } from './leased-warehouse.ts'

/** One question that was asked of the system itself, and what was found: empty means nothing is left. */
export type Finding = { asked: string; question: string; found: string[] }
export type Certificate = {
  product: string
  id: string
  retiredAt: string
  by: string
  because: string
  run: number
  archive: { name: string; place: string; files: number; bytes: number; sha256: string[] }
  findings: Finding[]
  kept: string[]
}

/** The last step: PostgreSQL, git and the file system are asked, not our own tables. Anything left fails the run, and the step can be tried again. */
export function certifyRetirement(deps: CommandDeps): Command {
  return {
    name: 'certify-retirement',
    async run(context, args) {
      const { run } = context
      const place = placeOf(context)
      const name = archiveName(context)
      const manifest = await deps.archive.verify(name, context.signal)
      const findings: Finding[] = []
      for (const environment of deps.environments()) {
        const stands = await deps.warehouse(environment).standing(place)
        const postgres = `PostgreSQL, ${environment}`
        const ask = (question: string, found: string[]) => findings.push({ asked: postgres, question, found })
        ask('schemas', stands.schemas)
        ask('tables and views', stands.relations > 0 ? [`${stands.relations} relations`] : [])
        ask('roles and logins', stands.roles)
        ask('functions', stands.functions)
        ask('grants', stands.grants)
        ask('open sessions', stands.sessions)
        ask('registry rows', stands.registry)
      }
      const hasRepository = await deps.repository.exists(place.id)
      findings.push({ asked: 'git', question: 'repository', found: hasRepository ? [`${place.id}.git`] : [] })
      const monitors = await levelsOf(deps.control.db, [place.id])
      findings.push({
        asked: 'monitoring',
        question: 'monitors',
        found: monitors.map((monitor) => `${monitor.kind} of ${monitor.port}.${monitor.object} in ${monitor.environment}`),
      })
      findings.push({ asked: 'scheduler', question: 'schedules, triggers', found: await listTriggers(deps.control.db, place.id) })
      findings.push({ asked: 'usage', question: 'counted reads', found: await listUsage(deps.control.db, place.id) })
      const entry = await readEntry(deps.control.db, place.id)
      findings.push({ asked: 'catalog', question: 'listed entries', found: entry?.state === 'listed' ? [entry.community] : [] })

      const certificate: Certificate = {
        product: formatProductAddress(place),
        id: place.id,
        retiredAt: deps.clock.now().toISOString(),
        by: run.by,
        because: String(run.detail.because ?? ''),
        run: run.number,
        archive: {
          name,
          place: deps.archive.locate(name),
          files: manifest.files.length,
          bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
          sha256: manifest.files.map((file) => `${file.sha256}  ${file.path}`),
        },
        findings,
        kept: [
          `archive ${name}`,
          'tombstone in the catalog',
          'runs, releases, agreements, evidence and audit',
          ...(args.kept as string[]),
        ],
      }
      const left = findings.filter((finding) => finding.found.length > 0)
      if (left.length > 0)
        throw fail('RETIRE_REMAINS', {
          what: `Of ${certificate.product} there still ${left.length === 1 ? 'is' : 'are'} ${left.map((each) => `${each.question} (${each.asked}): ${each.found.join(', ')}`).join('; ')}`,
        })
      const text = certificateText(certificate)
      await deps.archive.note(name, 'certificate.json', `${JSON.stringify(certificate, null, 1)}\n`)
      await deps.archive.note(name, 'certificate.txt', text)
      return { certificate, text, outcome: `${findings.length} questions, nothing is left` }
    },
  }
}

export function certificateText(certificate: Certificate): string {
  const width = Math.max(...certificate.findings.map(({ asked }) => asked.length))
  return [
    `Certificate of retirement: ${certificate.product}`,
    `  id       ${certificate.id}`,
    `  retired  ${certificate.retiredAt} by ${certificate.by}, run ${certificate.run}`,
    `  because  ${certificate.because || 'not said'}`,
    `  archive  ${certificate.archive.place}`,
    `           ${certificate.archive.files} files, ${certificate.archive.bytes} bytes, every checksum read back`,
    '',
    'Asked, and found',
    ...certificate.findings.map(
      ({ asked, question, found }) =>
        `  ${asked.padEnd(width)}  ${question.padEnd(18)}${found.length === 0 ? 'none' : found.join(', ')}`,
    ),
    '',
    'What remains',
    ...certificate.kept.map((each) => `  ${each}`),
    '',
  ].join('\n')
}
