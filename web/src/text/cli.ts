import type { NewRequest } from '../api/types.ts'

/** The same action from a terminal; requests and runs count for themselves, so the noun is always said. A test parses each with the real command line. */
export const cli = {
  retryRun: (run: number) => `heddle retry run ${run}`,
  cancelRun: (run: number) => `heddle cancel ${run}`,
  approveRun: (run: number) => `heddle approve run ${run}`,
  denyRun: (run: number) => `heddle deny run ${run}`,
  logs: (run: number, failed: boolean) => `heddle logs ${run}${failed ? ' --failed' : ''}`,
  approveRequest: (request: number) => `heddle approve request ${request}`,
  denyRequest: (request: number) => `heddle deny request ${request}`,
  retryRequest: (request: number) => `heddle retry request ${request}`,
  undoRequest: (request: number) => `heddle undo ${request}`,
  withdrawRequest: (request: number) => `heddle request withdraw ${request}`,
  clone: (product: string) => `heddle clone ${product}`,
  connect: (product: string, environment: string) => `heddle connect ${product} --env ${environment}`,
  slo: (product: string) => `heddle slo ${product}`,
  incidents: () => 'heddle incidents',
  rollback: (product: string, environment: string, to: number) => `heddle rollback ${product} --env ${environment} --to r${to}`,
  refresh: (product: string, environment: string) => `heddle refresh ${product} --env ${environment}`,
  deploy: (product: string) => `heddle deploy ${product}`,
  promote: (product: string, from: string, to: string) => `heddle promote ${product} --from ${from} --to ${to}`,
  unpin: (product: string, environment: string) => `heddle unpin ${product} --env ${environment}`,
  retire: (product: string) => `heddle retire ${product}`,
  revoke: (agreement: number, reason?: string) => words(`heddle access revoke ${agreement}`, option('reason', reason)),
  open: () => 'heddle open',
}

/** `heddle new planes --domain fleet --title "Planes"` */
export function newRequestCommand(request: NewRequest): string {
  if (request.kind === 'product') {
    const { domain, name, title, purpose, owner } = request.payload
    return words(
      'heddle new',
      name || 'NAME',
      option('domain', domain),
      option('title', title),
      option('purpose', purpose),
      option('owner', owner),
    )
  }
  if (request.kind === 'access') {
    const { product, port, purpose, environment, offer, subject, duration, justification } = request.payload
    return words(
      'heddle access request',
      product,
      option('port', port),
      `--purpose ${quote(purpose || 'PURPOSE')}`,
      option('until', duration),
      option('env', environment),
      option('offer', offer),
      option('for', subject),
      option('justification', justification),
    )
  }
  if (request.kind === 'retire')
    return words('heddle retire', request.payload.product, option('because', request.payload.because))
  if (request.kind === 'restore') return words('heddle restore', request.payload.product)
  const { name, title, owners } = request.payload
  return words('heddle request domain', name, option('title', title), option('owner', owners.join(',')))
}

function option(name: string, value: string | undefined): string {
  return value ? `--${name} ${quote(value)}` : ''
}

/** Quoted for a POSIX shell, only where it has to be. */
export function quote(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}

function words(...parts: string[]): string {
  return parts.filter(Boolean).join(' ')
}
