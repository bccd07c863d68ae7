import styles from './status.module.css'
import { type StatusKind, type Word, wordFor } from './vocabulary.ts'

type Shown = { kind: StatusKind; state: string }

/** Shape and word say the state; colour only repeats it. */
export function Status({ kind, state, chip = false, size = chip ? 14 : 13 }: Shown & { chip?: boolean; size?: number }) {
  const { word, family } = wordFor(kind, state)
  return (
    <span className={`${styles.status} ${chip ? styles.chip : ''}`} data-family={family}>
      <Glyph family={family} size={size} />
      <span>{word}</span>
    </span>
  )
}

/** The glyph alone, for a row whose word stands elsewhere or is said for screen readers only. */
export function StatusGlyph({ kind, state, size = 13, say = true }: Shown & { size?: number; say?: boolean }) {
  const { word, family } = wordFor(kind, state)
  return (
    <span className={styles.glyph} data-family={family} title={word}>
      <Glyph family={family} size={size} />
      {say ? <span className="sr-only">{word}</span> : null}
    </span>
  )
}

export function Glyph({ family, size = 14 }: { family: Word['family']; size?: number }) {
  return (
    <svg className={styles.svg} data-family={family} width={size} height={size} viewBox="0 0 14 14" aria-hidden="true">
      {SHAPES[family]}
    </svg>
  )
}

const cut = {
  fill: 'none',
  stroke: 'var(--glyph-cut, var(--bg))',
  strokeWidth: 1.7,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const
const SHAPES: Record<Word['family'], React.ReactNode> = {
  ok: (
    <>
      <circle cx="7" cy="7" r="6.5" fill="currentColor" />
      <path d="M4.2 7.2 6.2 9.2 9.9 5.2" {...cut} />
    </>
  ),
  run: (
    <>
      <circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" strokeOpacity=".25" strokeWidth="2" />
      <path
        className={styles.arc}
        d="M7 1.6A5.4 5.4 0 0 1 12.4 7"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </>
  ),
  warn: (
    <>
      <path d="M7 1 13.4 12.6H.6Z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />
      <path d="M7 5.2v3.2M7 10.6v.1" {...cut} />
    </>
  ),
  bad: (
    <>
      <path d="M4.3.5h5.4l3.8 3.8v5.4l-3.8 3.8H4.3L.5 9.7V4.3Z" fill="currentColor" />
      <path d="m4.9 4.9 4.2 4.2m0-4.2L4.9 9.1" {...cut} />
    </>
  ),
  wait: (
    <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
      <circle cx="7" cy="7" r="5.7" />
      <path d="M7 3.8V7l2.2 1.4" />
    </g>
  ),
  off: <circle cx="7" cy="7" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.5" />,
}
