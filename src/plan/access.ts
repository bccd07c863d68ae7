import type { Plan, Step } from './step.ts'
import { planOf } from './world.ts'

export type AccessWorld = {
  agreement: string
  number: number
  address: string
  environment: string
  place: { id: string; domain: string; product: string }
  port: string
  major: number
  subject: { name: string; domain: string | null; attributes: Record<string, string[]> }
  /** the consumer when it is a product: its keeper is granted, nobody logs in */
  consumer: { id: string; domain: string; product: string } | null
  /** columns served with a mask, for the proof: `object.column` */
  masked: string[]
}

/** Grant, then log in as the subject and prove what works and what must not, then the agreement is active. */
export function planGrant(world: AccessWorld): Plan {
  const { make, at } = accessSteps(world)
  if (world.consumer) {
    const { consumer, subject } = world
    const grant = make(
      'grant',
      'grant-product',
      `Grant ${world.port} v${world.major} to ${subject.name}`,
      { consumer, subject: subject.name, at },
      [],
    )
    const prove = make('prove', 'prove-product', `Look what ${subject.name} may read`, { consumer, at, expect: 'granted' }, [
      grant.id,
    ])
    const activate = make('activate', 'settle-agreement', 'Agreement active', { to: 'active' }, [prove.id])
    return planOf(world, [grant, prove, activate], [])
  }
  const login = make('login', 'ensure-login', `Login of ${world.subject.name}`, { subject: world.subject }, [])
  const grant = make(
    'grant',
    'grant-port',
    `Grant ${world.port} v${world.major} to ${world.subject.name}`,
    { subject: world.subject.name, at },
    [login.id],
  )
  const prove = make(
    'prove',
    'prove-access',
    `Log in as ${world.subject.name} and try`,
    { subject: world.subject.name, at, expect: 'granted', masked: world.masked },
    [grant.id],
  )
  const activate = make('activate', 'settle-agreement', 'Agreement active', { to: 'active' }, [prove.id])
  return planOf(world, [login, grant, prove, activate], [])
}

/** The other way, with the same proof: expired and revoked differ only in their name. */
export function planRevoke(world: AccessWorld & { to: 'revoked' | 'expired'; because: string }): Plan {
  const { make, at } = accessSteps(world)
  const { consumer, subject } = world
  const revoke = make(
    'revoke',
    consumer ? 'revoke-product' : 'revoke-port',
    `Revoke ${world.port} v${world.major} from ${subject.name}`,
    { subject: subject.name, at, ...(consumer && { consumer }) },
    [],
    'disruptive',
  )
  const prove = consumer
    ? make('prove', 'prove-product', `Look what ${subject.name} may read`, { consumer, at, expect: 'revoked' }, [revoke.id])
    : make(
        'prove',
        'prove-access',
        `Log in as ${subject.name} and try`,
        { subject: subject.name, at, expect: 'revoked', masked: [] },
        [revoke.id],
      )
  const close = make('close', 'settle-agreement', `Agreement ${world.to}`, { to: world.to, because: world.because }, [prove.id])
  return planOf(world, [revoke, prove, close], [world.subject.name])
}

function accessSteps(world: AccessWorld) {
  const at = { place: world.place, port: world.port, major: world.major }
  const make = (
    id: string,
    command: string,
    title: string,
    args: Record<string, unknown>,
    dependsOn: string[],
    risk: Step['risk'] = 'safe',
  ): Step => ({
    id,
    stage: 'access',
    command,
    address: `${world.address}/${world.port}@v${world.major}`,
    title,
    args: { environment: world.environment, place: world.place, agreement: world.agreement, ...args },
    dependsOn,
    risk,
    because: `agreement ${world.number}`,
  })
  return { make, at }
}
