import type { NewRequest } from '../api/types.ts'

/** The same action from a terminal. One place, so that portal and command line are compared in one place. */
export const cli = {
  retryRun: (run: number) => `heddle retry ${run}`,
  cancelRun: (run: number) => `heddle cancel ${run}`,
  approveRun: (run: number) => `heddle approve run/${run}`,
  denyRun: (run: number) => `heddle deny run/${run}`,
  logs: (run: number, failed: boolean) => `heddle logs ${run}${failed ? ' --failed' : ''}`,
  approveRequest: (request: number) => `heddle approve ${request}`,
  denyRequest: (request: number) => `heddle deny ${request}`,
  retryRequest: (request: number) => `heddle request retry ${request}`,
  undoRequest: (request: number) => `heddle new --undo ${request}`,
  withdrawRequest: (request: number) => `heddle request withdraw ${request}`,
  clone: (product: string) => `heddle clone ${product}`,
  connect: (product: string, environment: string) => `heddle connect ${product} --env ${environment}`,
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
    const { product, port, purpose, environment, subject, duration } = request.payload
    return words(
      'heddle request',
      `${product}/${port}`,
      option('purpose', purpose),
      option('env', environment),
      option('for', subject),
      option('until', duration),
    )
  }
  return words('heddle new-domain', request.payload.name)
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
