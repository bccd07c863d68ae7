import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { serviceLevelsQuery } from '../api/operate-queries.ts'
import type { Product } from '../api/types.ts'
import { FailureCard } from '../parts/failure-card.tsx'
import { Skeleton } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import { LevelTable } from '../slo/level-table.tsx'
import { groupLevels } from '../slo/level-words.ts'
import { spanOf } from '../slo/slo-tab.tsx'
import styles from './product.module.css'

/** The promises where consumers read; the tab has every environment. Without a promise it takes no room. */
export function LevelsNow({ product }: { product: Product }) {
  const [domain = '', name = ''] = product.address.split('/')
  const query = useQuery(serviceLevelsQuery(domain, name))
  if (query.isError && !query.data) return <FailureCard failure={query.error} retry={() => void query.refetch()} />
  if (query.isPending) return <Room product={product} />
  const environment = product.environments.at(-1)?.name
  const levels = query.data?.items.filter((level) => level.environment === environment) ?? []
  if (!levels.length) return null
  return (
    <>
      {groupLevels(levels)
        .slice(0, 2)
        .map((group, index, all) => (
          <Section
            key={group.name}
            title={all.length > 1 ? `Service levels of ${group.name}` : 'Service levels'}
            end={
              index ? null : (
                <span className={styles.ends}>
                  {spanOf(group.levels)}
                  <Link to="/p/$domain/$name" params={{ domain, name }} search={{ tab: 'slos' }}>
                    All about them
                  </Link>
                </span>
              )
            }
          >
            <LevelTable levels={group.levels} />
          </Section>
        ))}
    </>
  )
}

const HEAD_PX = 23
const ROW_PX = 54

/** The room of the levels that the monitors foretell, so that nothing below moves when they arrive. */
function Room({ product }: { product: Product }) {
  const rows = new Set(product.monitors.map(({ port, object, kind }) => `${port} ${object} ${kind}`)).size
  if (!rows) return null
  return (
    <Section title="Service levels">
      <div style={{ minHeight: HEAD_PX + rows * ROW_PX }}>
        <Skeleton rows={rows} />
      </div>
    </Section>
  )
}
