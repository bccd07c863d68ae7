import { NativeSelect, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { productsQuery, runsQuery } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import { counted } from '../text/time.ts'
import { RunTable } from './run-table.tsx'
import styles from './runs.module.css'

const route = getRouteApi('/runs')
const PAGE = 100
const STATES = [
  { value: '', label: 'All' },
  { value: 'running', label: 'Running' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'failed', label: 'Failed' },
  { value: 'succeeded', label: 'Succeeded' },
]

/** What runs now, what failed? */
export function RunsPage() {
  useCrumbs([{ label: 'Runs' }])
  const search = route.useSearch()
  const navigate = useNavigate()
  const runs = useQuery(runsQuery({ product: search.product, state: search.state, limit: PAGE }))
  const products = useQuery(productsQuery(null)).data?.items ?? []
  const change = (changes: typeof search) => void navigate({ to: '.', search: { ...search, ...changes }, replace: true })
  const filtered = search.product !== undefined || search.state !== undefined
  const shown = runs.data?.items
  return (
    <Page
      title="Runs"
      name="Runs"
      sub={shown ? <span>{summary(shown.length, shown.filter((run) => run.state === 'running').length)}</span> : null}
    >
      <div className={styles.filters}>
        <SegmentedControl
          aria-label="State"
          data={STATES}
          value={search.state ?? ''}
          onChange={(state) => change({ state: state || undefined })}
        />
        <NativeSelect
          aria-label="Product"
          value={search.product ?? ''}
          onChange={(event) => change({ product: event.currentTarget.value || undefined })}
          data={[{ value: '', label: 'All products' }, ...products.map((product) => product.address)]}
        />
      </div>
      <Loaded query={runs} rows={8}>
        {({ items }) =>
          items.length ? (
            <RunTable runs={items} withProduct={search.product === undefined} />
          ) : (
            <Empty title={filtered ? 'No run matches these filters' : 'Nothing has run yet'}>
              <p>{filtered ? 'Choose another state or product.' : 'A new product or a git push starts the first run.'}</p>
            </Empty>
          )
        }
      </Loaded>
    </Page>
  )
}

function summary(total: number, running: number): string {
  const newest = total >= PAGE ? `newest ${total} runs` : counted(total, 'run')
  return running ? `${newest}, ${running} running now` : newest
}
