import { ActionIcon, SegmentedControl, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { StreamState } from '../api/event-stream.ts'
import type { Run } from '../api/types.ts'
import { CopyIcon } from '../parts/copy.tsx'
import { Icon } from '../parts/icon.tsx'
import { counted, formatCount, formatLogTime } from '../text/time.ts'
import styles from './log.module.css'
import { filterLines, firstError, type LogLine } from './log-lines.ts'
import type { LogLevel, LogSearch } from './log-search.ts'
import { isActive } from './run-state.ts'

const LINE = 18
/** Lines kept above the one the log opens at, and drawn beyond the window. */
const BEFORE = 5
const BEYOND = 20
const PADDING = 8

export function LogView({
  run,
  lines,
  stream,
  search,
}: {
  run: Run
  lines: readonly LogLine[]
  stream: StreamState
  search: LogSearch
}) {
  const navigate = useNavigate()
  const change = (changes: LogSearch) =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, ...changes }), replace: true, resetScroll: false })
  const active = isActive(run.state)
  const shown = filterLines(lines, search)
  const error = stream === 'ended' && run.state === 'failed' ? firstError(shown) : null
  const opened = search.line ?? error?.number ?? null
  const [follow, setFollow] = useState(active)
  const errors = lines.reduce((count, line) => count + (line.level === 'error' ? 1 : 0), 0)
  const stageOf = new Map(run.steps.map((step) => [step.id, step.stage]))
  const step = run.steps.find((found) => found.id === search.step)
  return (
    <section className={styles.log} aria-label="Log">
      <div className={styles.head}>
        <h2>Log</h2>
        <span className={styles.about}>{about({ lines, shown, opened, byError: !search.line && error !== null, stream })}</span>
        {search.step ? (
          <button type="button" className={styles.filter} onClick={() => change({ step: undefined })}>
            only {step?.title ?? search.step}
            <Icon name="close" size={12} />
            <span className="sr-only">, show all steps</span>
          </button>
        ) : null}
        <div className={styles.tools}>
          <TextInput
            className={styles.search}
            aria-label="Search the log"
            placeholder={lines.length ? `Search ${counted(lines.length, 'line')}` : 'Search'}
            leftSection={<Icon name="search" />}
            value={search.q ?? ''}
            onChange={(event) => change({ q: event.currentTarget.value || undefined, line: undefined })}
          />
          <SegmentedControl
            aria-label="Level"
            value={search.level ?? 'all'}
            onChange={(value) => change({ level: value === 'all' ? undefined : (value as LogLevel), line: undefined })}
            data={[
              { value: 'all', label: 'All' },
              { value: 'warn', label: 'Warnings' },
              { value: 'error', label: errors ? `Errors ${formatCount(errors)}` : 'Errors' },
            ]}
          />
          {active ? (
            <ActionIcon
              variant={follow ? 'quiet' : 'subtle'}
              aria-label="Follow the end"
              title="Follow the end"
              aria-pressed={follow}
              onClick={() => setFollow(!follow)}
            >
              <Icon name="follow" />
            </ActionIcon>
          ) : null}
          <CopyIcon text={location.href} label="Copy link to what is shown" icon="link" />
          <ActionIcon aria-label="Download the log" title="Download the log" onClick={() => download(run.number, lines)}>
            <Icon name="download" />
          </ActionIcon>
        </div>
      </div>
      <Lines
        lines={shown}
        opened={opened}
        follow={follow && active}
        onFollow={setFollow}
        onLine={(line) => change({ line })}
        stageOf={stageOf}
        empty={lines.length ? 'No line matches.' : active ? 'No line yet.' : 'This run wrote no log.'}
      />
    </section>
  )
}

type LinesProps = {
  lines: readonly LogLine[]
  opened: number | null
  follow: boolean
  onFollow: (follow: boolean) => void
  onLine: (line: number) => void
  stageOf: Map<string, string>
  empty: string
}

/** Only the lines in sight are elements, so a million of them scroll like fifty. */
function Lines({ lines, opened, follow, onFollow, onLine, stageOf, empty }: LinesProps) {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(400)
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 400))
    watch.observe(box.current!)
    return () => watch.disconnect()
  }, [])
  const index = opened === null ? -1 : lines.findIndex((line) => line.number === opened)
  // The scroll event comes a frame later, and until then the window would be empty.
  const scrollTo = (to: number) => {
    if (!box.current) return
    box.current.scrollTop = to
    setTop(box.current.scrollTop)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls when there are more lines
  useLayoutEffect(() => {
    if (follow) scrollTo(lines.length * LINE)
  }, [follow, lines])
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls when another line is opened
  useLayoutEffect(() => {
    if (index >= 0) scrollTo(Math.max(0, (index - BEFORE) * LINE))
  }, [index])
  const from = Math.max(0, Math.floor(top / LINE) - BEYOND)
  const seen = lines.slice(from, Math.ceil((top + height) / LINE) + BEYOND)
  return (
    <div
      ref={box}
      className={styles.lines}
      style={{ '--content': `${Math.max(1, lines.length) * LINE + 2 * PADDING}px` } as React.CSSProperties}
      role="log"
      aria-live="off"
      aria-label="Log lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the lines scroll, and the keyboard must reach them
      tabIndex={0}
      onScroll={(event) => {
        const at = event.currentTarget
        if (at.scrollTop < top - 1 && follow) onFollow(false)
        else if (at.scrollTop + at.clientHeight >= at.scrollHeight - 1) onFollow(true)
        setTop(at.scrollTop)
      }}
    >
      {lines.length ? null : <p className={styles.none}>{empty}</p>}
      <div className={styles.all} style={{ height: lines.length * LINE }}>
        <div className={styles.seen} style={{ transform: `translateY(${from * LINE}px)` }}>
          {seen.map((line) => (
            <div key={line.number} className={styles.line} data-level={line.level} data-opened={line.number === opened}>
              <a
                href={`?line=${line.number}`}
                aria-label={`Line ${line.number}`}
                tabIndex={-1}
                onClick={(event) => {
                  event.preventDefault()
                  onLine(line.number)
                }}
              >
                {line.number}
              </a>
              <span>{formatLogTime(line.at)}</span>
              <span className={styles.level}>{line.level === 'info' ? '' : line.level}</span>
              <span>{line.step ? (stageOf.get(line.step) ?? line.step) : 'run'}</span>
              <span className={styles.text}>{line.text || ' '}</span>
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

type About = {
  lines: readonly LogLine[]
  shown: readonly LogLine[]
  opened: number | null
  byError: boolean
  stream: StreamState
}

function about({ lines, shown, opened, byError, stream }: About): string {
  const total = formatCount(lines.length)
  if (stream === 'broken') return `connection lost, trying again; ${counted(lines.length, 'line')} so far`
  if (opened !== null && opened <= lines.length)
    return `opened at ${byError ? 'the first error, ' : ''}line ${formatCount(opened)} of ${total}`
  return shown.length === lines.length
    ? lines.length
      ? counted(lines.length, 'line')
      : ''
    : `${formatCount(shown.length)} of ${counted(lines.length, 'line')}`
}

function download(run: number, lines: readonly LogLine[]): void {
  const text = lines.map((line) => `${line.at} ${line.level.padEnd(5)} ${line.step ?? 'run'} ${line.text}\n`).join('')
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  Object.assign(document.createElement('a'), { href: address, download: `run-${run}.log` }).click()
  setTimeout(() => URL.revokeObjectURL(address), 1_000)
}
