import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { call } from '../api/call.ts'
import { productQuery } from '../api/queries.ts'
import type { NewRequest, Product, Request } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { productCrumbs } from '../frame/product-crumbs.ts'
import { FailureCard } from '../parts/failure-card.tsx'
import { Empty, Loaded, Skeleton } from '../parts/loaded.tsx'
import { Page, Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { CompactSteps } from '../parts/plan-steps.tsx'
import { Status } from '../status/status.tsx'
import { counted, formatTime } from '../text/time.ts'
import { ConfirmRetirement } from './confirm-retirement.tsx'
import { Readers } from './readers.tsx'
import styles from './retire.module.css'

const route = getRouteApi('/p/$domain/$name/retire')

/** What stops, who is hit, what is kept? Nothing is done before the name is typed. */
export function RetirePage() {
  const { domain, name } = route.useParams()
  const address = `${domain}/${name}`
  useCrumbs(productCrumbs(address, { label: 'Retire' }))
  const product = useQuery(productQuery(domain, name))
  const head = { title: `Retire ${address}`, name: `Retire ${address}` }
  if (!product.data)
    return (
      <Page {...head}>
        <Loaded query={product} rows={8}>
          {() => null}
        </Loaded>
      </Page>
    )
  if (product.data.state === 'retired' || product.data.state === 'retiring')
    return (
      <Page {...head} chip={<Status kind="product" state={product.data.state} chip />}>
        <Empty title={product.data.state === 'retired' ? 'It is retired already' : 'It is being retired'}>
          <p>
            <Link to="/p/$domain/$name" params={{ domain, name }}>
              {address}
            </Link>{' '}
            says what is left of it.
          </p>
        </Empty>
      </Page>
    )
  return <Retirement product={product.data} head={head} />
}

function Retirement({ product, head }: { product: Product; head: { title: string; name: string } }) {
  const body: NewRequest = { kind: 'retire', payload: { product: product.address } }
  const dry = useQuery({
    queryKey: ['dry-run', body],
    queryFn: ({ signal }) => call<Request>('/requests?dry-run=true', { method: 'POST', body, signal }),
    retry: false,
    staleTime: 5_000,
  })
  const plan = dry.data?.plan
  return (
    <Page
      {...head}
      sub={
        <>
          <span>nothing is done yet: this is the plan</span>
          {plan ? <span>as of {formatTime(plan.asOf)}</span> : null}
          {plan ? (
            <span>
              <strong>{plan.steps.length}</strong> steps,{' '}
              {counted(plan.steps.filter((step) => step.risk === 'destructive').length, 'of them removes', 'of them remove')}{' '}
              something
            </span>
          ) : null}
        </>
      }
    >
      {dry.error ? <FailureCard failure={dry.error} retry={() => void dry.refetch()} /> : null}
      {dry.isPending ? <Skeleton rows={10} /> : null}
      {dry.data && plan ? (
        <div className={parts.split} style={{ '--side': '360px' } as React.CSSProperties}>
          <div className={parts.stack}>
            <Readers product={product} hit={plan.affected} />
            <Section
              title="What happens"
              count={plan.steps.length}
              end="in this order; nothing is removed before the archive is read back"
            >
              <CompactSteps steps={plan.steps} />
            </Section>
            <Section title="What is kept">
              <ul className={styles.kept}>
                <li>The archive: data as Parquet with checksums, the repository as a bundle, spec, agreements, journal</li>
                <li>A tombstone in the catalog that says where the archive is, who retired it and why</li>
                <li>Runs, releases, agreements, evidence and audit; budget, namespace and community of {product.domain}</li>
              </ul>
            </Section>
          </div>
          <ConfirmRetirement product={product} dry={dry.data} />
        </div>
      ) : null}
    </Page>
  )
}
