import { useQuery } from '@tanstack/react-query'
import { serviceLevelsQuery } from '../api/operate-queries.ts'
import type { Product, ServiceLevel } from '../api/types.ts'
import { CopyLine } from '../parts/copy.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { cli } from '../text/cli.ts'
import { formatDate, formatTime } from '../text/time.ts'
import { StripLegend } from './day-strip.tsx'
import { DayTable } from './day-table.tsx'
import { LevelTable } from './level-table.tsx'
import { groupLevels } from './level-words.ts'
import styles from './slo.module.css'

const EXAMPLE = `traits:
  - type: service-level
    properties:
      availability: 99%
      completeness: {within: 5%}
      freshness: {threshold: 24h}`

/** Met now? How much budget is left? When did it break? */
export function SloTab({ product }: { product: Product }) {
  const [domain = '', name = ''] = product.address.split('/')
  const query = useQuery(serviceLevelsQuery(domain, name))
  return (
    <Loaded query={query} rows={6}>
      {({ items }) => (items.length ? <Levels levels={items} product={product} /> : <NoLevels product={product} />)}
    </Loaded>
  )
}

function Levels({ levels, product }: { levels: ServiceLevel[]; product: Product }) {
  const groups = groupLevels(levels)
  const several = new Set(levels.map((level) => level.environment)).size > 1
  const asOf = levels
    .flatMap((level) => level.evaluatedAt ?? [])
    .toSorted()
    .at(-1)
  return (
    <div className={parts.stack}>
      {groups.map((group) => (
        <Section
          key={`${group.environment} ${group.name}`}
          title={several ? `${group.name} in ${group.environment}` : group.name}
          end={spanOf(group.levels)}
        >
          <LevelTable levels={group.levels} next />
          <DayTable levels={group.levels} />
        </Section>
      ))}
      <div className={styles.foot}>
        <StripLegend levels={levels} />
        <span>{asOf ? `Judged ${formatTime(asOf, { seconds: true })}, at least every 5 min` : 'Judged within the minute'}</span>
      </div>
      <CopyLine prompt="$ " text={cli.slo(product.address)} label="Copy as CLI" />
    </div>
  )
}

function NoLevels({ product }: { product: Product }) {
  const served = product.served.length > 0
  return (
    <Empty title={served ? 'Nothing is promised' : 'Nothing is measured yet'}>
      <p>
        {served
          ? 'An output port promises by the trait service-level of the spec; each object it serves is then measured every hour and after every update. For example:'
          : 'The first publication starts the monitors of the service levels that the spec promises. For example:'}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, and the keyboard must reach it */}
      <pre className={styles.example} tabIndex={0}>
        <code>{EXAMPLE}</code>
      </pre>
    </Empty>
  )
}

/** "4 Nov – 23 Nov, days in UTC" */
export function spanOf(levels: ServiceLevel[]): string | null {
  const days = levels.find((level) => level.days.length)?.days
  return days ? `${formatDate(days[0]!.day)} – ${formatDate(days.at(-1)!.day)}, days in UTC` : null
}
