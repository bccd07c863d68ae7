import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { call } from '../api/call.ts'
import { domainsQuery, meQuery } from '../api/queries.ts'
import type { Request } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Empty, Loaded, Skeleton } from '../parts/loaded.tsx'
import { Page, Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { PlanSteps } from '../parts/plan-steps.tsx'
import { newRequestCommand } from '../text/cli.ts'
import styles from './create.module.css'
import { checkForm, type FormErrors, firstDomain, firstOwner, type ProductForm, requestOf } from './product-form.ts'

const route = getRouteApi('/new')
const FIELDS = ['domain', 'name', 'title', 'purpose', 'owner'] as const
const PAUSE_MS = 300

/** What will be made? The plan stands beside the form before anything is asked for. */
export function CreatePage() {
  useCrumbs([{ label: 'Catalog', to: '/catalog' }, { label: 'New product' }])
  const domains = useQuery(domainsQuery)
  const me = useQuery(meQuery)
  return (
    <Page
      title="New product"
      name="New product"
      sub={
        <span>A repository with its own life: schemas, roles, pipeline and contracts, made now and redeployed by each push</span>
      }
    >
      <Loaded query={domains} rows={6}>
        {({ items }) =>
          items.length ? (
            <Form domains={items} me={me.data} />
          ) : (
            <Empty title="There is no domain to put it in">
              <p>Anyone may ask for a domain; the platform team approves it. From a terminal: heddle request domain NAME.</p>
            </Empty>
          )
        }
      </Loaded>
    </Page>
  )
}

function Form({ domains, me }: { domains: Parameters<typeof firstDomain>[0]; me: Parameters<typeof firstDomain>[1] }) {
  const asked = route.useSearch().domain
  const navigate = useNavigate()
  const [form, setForm] = useState<ProductForm>(() => {
    const domain = firstDomain(domains, me, asked)
    return { domain: domain?.name ?? '', name: '', title: '', purpose: '', owner: firstOwner(domain, me) }
  })
  const [tried, setTried] = useState(false)
  const root = useRef<HTMLFormElement>(null)
  const preview = usePreview(form)
  const create = useAction<Request>((request) => {
    const [to, number] =
      request.run === null ? (['/requests/$number', request.number] as const) : (['/runs/$number', request.run] as const)
    void navigate({ to, params: { number: String(number) } })
  })
  const errors = { ...taken(preview.error?.code, preview.error?.what), ...checkForm(form) }
  const shown: FormErrors = tried ? errors : { ...(form.name ? { name: errors.name } : {}) }
  const set = (field: keyof ProductForm, value: string) => setForm((before) => ({ ...before, [field]: value }))
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    setTried(true)
    const wrong = FIELDS.find((field) => errors[field])
    // Create is never disabled: it takes you to what is missing.
    if (wrong) root.current?.querySelector<HTMLElement>(`[name=${wrong}]`)?.focus()
    else create.mutate({ path: '/requests', body: requestOf(form) })
  }
  return (
    <div className={styles.columns}>
      <form ref={root} className={styles.form} onSubmit={submit} noValidate aria-label="New product">
        <div className={styles.address}>
          <NativeSelect
            label="Domain"
            name="domain"
            data={domains.map((domain) => domain.name)}
            value={form.domain}
            error={shown.domain}
            onChange={(event) => {
              const name = event.currentTarget.value
              setForm((before) => ({
                ...before,
                domain: name,
                owner: firstOwner(
                  domains.find((domain) => domain.name === name),
                  me,
                ),
              }))
            }}
          />
          <TextInput
            label="Name"
            name="name"
            placeholder="planes"
            autoFocus
            autoComplete="off"
            spellCheck={false}
            value={form.name}
            error={shown.name}
            onChange={(event) => set('name', event.currentTarget.value)}
          />
        </div>
        <TextInput
          label="Title"
          name="title"
          description="As people will read it in lists. Default: from the name."
          value={form.title}
          onChange={(event) => set('title', event.currentTarget.value)}
        />
        <Textarea
          label="Purpose"
          name="purpose"
          description="One or two sentences: what it serves, for whom."
          rows={3}
          value={form.purpose}
          onChange={(event) => set('purpose', event.currentTarget.value)}
        />
        <TextInput
          label="Owner"
          name="owner"
          description="The group that answers for it. Pre-filled from the domain."
          value={form.owner}
          onChange={(event) => set('owner', event.currentTarget.value)}
        />
        {create.error ? <FailureCard failure={create.error} /> : null}
        <div className={styles.end}>
          <Button type="submit" variant="filled" loading={create.isPending}>
            Create {form.name && !errors.name ? `${form.domain}/${form.name}` : 'product'}
          </Button>
          <span className="muted">{preview.data ? decidedBy(preview.data) : null}</span>
        </div>
        <Section title="Same from a terminal">
          <CopyLine prompt="$ " text={newRequestCommand(requestOf(form))} label="Copy command" />
        </Section>
      </form>
      <section className={parts.card} aria-label="What will be made" aria-busy={preview.isFetching}>
        <h2>What will be made</h2>
        <Preview preview={preview} ready={!checkForm(form).name} />
      </section>
    </div>
  )
}

function Preview({ preview, ready }: { preview: ReturnType<typeof usePreview>; ready: boolean }) {
  if (!ready) return <p className="muted">Give it a name, and the plan appears here. Nothing is made until you press Create.</p>
  if (preview.error) return <FailureCard failure={preview.error} retry={() => void preview.refetch()} />
  if (!preview.data) return <Skeleton rows={6} />
  if (!preview.data.plan) return <p>{decidedBy(preview.data)}</p>
  return <PlanSteps plan={preview.data.plan} />
}

function decidedBy(request: Request): string {
  return request.approvers.length ? `Then decided by ${request.approvers.join(' or ')}.` : 'Within your rights: made at once.'
}

/** The plan for what is in the form, a moment after the last key. A dry run stores nothing, so it may be asked again at will. */
function usePreview(form: ProductForm) {
  const [settled, setSettled] = useState(form)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(form), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [form])
  const body = requestOf(settled)
  return useQuery({
    queryKey: ['dry-run', body],
    queryFn: ({ signal }) => call<Request>('/requests?dry-run=true', { method: 'POST', body, signal }),
    enabled: Object.keys(checkForm(settled)).length === 0,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 5_000,
  })
}

/** A refusal that is about the name stands at the name. */
function taken(code: string | undefined, what: string | undefined): FormErrors {
  return code === 'PRODUCT_NAME_TAKEN' || code === 'CORE_NAME_INVALID' ? { name: what ?? 'The name is taken.' } : {}
}
