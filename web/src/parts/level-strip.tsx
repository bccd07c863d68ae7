import type { ServiceLevel } from '../api/types.ts'
import { formatDay } from '../text/time.ts'

type Day = ServiceLevel['days'][number]
const HEIGHT = 14
const WORD: Record<Day['state'], string> = {
  met: 'met',
  'at-risk': 'at risk',
  breached: 'breached',
  'no-data': 'no data',
  'not-evaluated': 'not evaluated',
}

/** Twenty days, one cell each. Height says what colour repeats: full is met, two thirds is at risk, a notch and a tick are breached, a dot is no data. */
export function LevelStrip({ level, large = false }: { level: Pick<ServiceLevel, 'days' | 'kind'>; large?: boolean }) {
  const [wide, gap, high] = large ? [7, 4, 22] : [4, 2, HEIGHT]
  const width = level.days.length * (wide + gap) - gap
  return (
    <svg
      width={width}
      height={high + 4}
      viewBox={`0 0 ${width} ${high + 4}`}
      role="img"
      style={{ display: 'block', flex: 'none' }}
    >
      <title>{describe(level)}</title>
      {level.days.map((day, index) => (
        <Cell key={day.day} state={day.state} x={index * (wide + gap)} wide={wide} high={high} />
      ))}
    </svg>
  )
}

function Cell({ state, x, wide, high }: { state: Day['state']; x: number; wide: number; high: number }) {
  if (state === 'no-data')
    return <circle cx={x + wide / 2} cy={high - 2} r={wide / 2 - 0.5} fill="none" stroke="var(--mark-off)" />
  if (state === 'not-evaluated')
    return <rect x={x + 0.5} y={0.5} width={wide - 1} height={high - 1} rx={1} fill="none" stroke="var(--mark-bad)" />
  if (state === 'at-risk') return <rect x={x} y={high / 3} width={wide} height={(high * 2) / 3} rx={1} fill="var(--mark-warn)" />
  if (state === 'met') return <rect x={x} y={0} width={wide} height={high} rx={1} fill="var(--mark-ok)" />
  return (
    <>
      <path d={`M${x} 0 ${x + wide / 2} ${wide} ${x + wide} 0V${high}H${x}Z`} fill="var(--mark-bad)" />
      <rect x={x} y={high + 2} width={wide} height={2} fill="var(--bad)" />
    </>
  )
}

function describe({ days, kind }: Pick<ServiceLevel, 'days' | 'kind'>): string {
  const first = days[0]
  if (!first) return `${kind}: no day yet`
  const counts = Object.entries(WORD).flatMap(([state, word]) => {
    const found = days.filter((day) => day.state === state)
    if (!found.length) return []
    // The days that are not well are few and worth their dates.
    const which = state === 'met' || found.length > 4 ? '' : ` (${found.map((day) => formatDay(day.day)).join(', ')})`
    return [`${found.length} ${word}${which}`]
  })
  return `${kind}, ${days.length} days since ${formatDay(first.day)}: ${counts.join(', ')}`
}

/** "99.79 %": shares come as basis points. Completeness is a share of updates. */
export function formatShare(basisPoints: number | null): string {
  return basisPoints === null ? '–' : `${(basisPoints / 100).toFixed(basisPoints % 100 ? 2 : 0)} %`
}
