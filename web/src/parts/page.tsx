import { useEffect, useRef } from 'react'
import styles from './parts.module.css'

type Head = {
  title: React.ReactNode
  /** what the browser tab and screen readers say */
  name: string
  chip?: React.ReactNode
  sub?: React.ReactNode
  actions?: React.ReactNode
}

export function Page({ children, ...head }: Head & { children?: React.ReactNode }) {
  return (
    <div className={styles.page}>
      <PageHead {...head} />
      {children}
    </div>
  )
}

/** Title, chip and one line of facts; actions stand right of the title. The children of `sub` are the facts, dots between them come by style. */
function PageHead({ title, name, chip, sub, actions }: Head) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${name} · Heddle`
  }, [name])
  return (
    <header className={styles.head}>
      <div className={styles.headText}>
        <div className={styles.titleLine}>
          <h1 ref={heading} tabIndex={-1} id="page-title">
            {title}
          </h1>
          {chip}
        </div>
        {sub ? <div className={styles.sub}>{sub}</div> : null}
      </div>
      {actions ? <div className={styles.actions}>{actions}</div> : null}
    </header>
  )
}

export function Section({
  title,
  count,
  end,
  children,
  id,
}: {
  title: string
  count?: number | undefined
  end?: React.ReactNode
  children: React.ReactNode
  id?: string
}) {
  return (
    <section className={styles.section} aria-label={title} id={id}>
      <div className={styles.sectionHead}>
        <h2>
          {title}
          {count === undefined ? null : <span className={styles.total}>{count}</span>}
        </h2>
        {end ? <div className={styles.sectionEnd}>{end}</div> : null}
      </div>
      {children}
    </section>
  )
}
