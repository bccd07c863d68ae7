import type { Agreement, Me, Product } from '../api/types.ts'
import { mayOperate } from './may-operate.ts'

/** What a reader may do with a product: read it by an agreement, own it, or ask. */
export type Rights = {
  /** whether agreements have been read: before that nothing is promised and nothing denied */
  known: boolean
  name: string
  owns: boolean
  /** agreements under which he reads now */
  held: Agreement[]
  reads: boolean
  /** asked for, not decided or not yet granted */
  pending: Agreement[]
}

const READING = ['active', 'expiring']
const PENDING = ['requested', 'approved', 'applying']

export function rightsOf(me: Me | undefined, product: Product, read: readonly Agreement[] | undefined): Rights {
  const agreements = read ?? []
  const name = me ? (me.as ?? me.name) : ''
  const mine = agreements.filter((agreement) => agreement.subject === name)
  const held = mine.filter((agreement) => READING.includes(agreement.state))
  const owns = mayOperate(product, me)
  return {
    known: read !== undefined,
    name,
    owns,
    held,
    reads: owns || held.length > 0,
    pending: mine.filter((agreement) => PENDING.includes(agreement.state)),
  }
}
