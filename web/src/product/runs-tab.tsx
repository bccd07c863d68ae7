import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { runsQuery } from '../api/queries.ts'
import type { Product } from '../api/types.ts'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import { RunTable } from '../runs/run-table.tsx'

const NEWEST = 50

/** Everything that was done to this product, the newest first. */
export function RunsTab({ product }: { product: Product }) {
  const runs = useQuery(runsQuery({ product: product.address, limit: NEWEST }))
  return (
    <Section
      title="Runs"
      count={runs.data?.items.length}
      end={
        <Link to="/runs" search={{ product: product.address }}>
          Filter by state
        </Link>
      }
    >
      <Loaded query={runs} rows={8}>
        {({ items }) => (items.length ? <RunTable runs={items} withProduct={false} /> : <Empty title="Nothing has run yet" />)}
      </Loaded>
    </Section>
  )
}
