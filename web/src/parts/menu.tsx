import { useEffect, useId, useRef, useState } from 'react'
import styles from './menu.module.css'

/** A button that opens a small panel under it. Escape and a click elsewhere close it; focus goes back to the button. */
export function MenuButton({
  label,
  title,
  name,
  className,
  children,
}: {
  label: React.ReactNode
  title: string
  /** what the button is called when it shows a picture only */
  name?: string
  className?: string | undefined
  children: (close: () => void) => React.ReactNode
}) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  useEffect(() => {
    if (!open) return
    const leave = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      setOpen(false)
      button.current?.focus()
    }
    document.addEventListener('pointerdown', leave)
    document.addEventListener('focusin', leave)
    document.addEventListener('keydown', onEscape)
    return () => {
      document.removeEventListener('pointerdown', leave)
      document.removeEventListener('focusin', leave)
      document.removeEventListener('keydown', onEscape)
    }
  }, [open])
  return (
    <div className={styles.root} ref={root}>
      <button
        ref={button}
        type="button"
        className={className}
        aria-expanded={open}
        aria-controls={id}
        title={title}
        aria-label={name}
        onClick={() => setOpen(!open)}
      >
        {label}
      </button>
      {open ? (
        <div className={styles.panel} id={id}>
          {children(() => {
            setOpen(false)
            button.current?.focus()
          })}
        </div>
      ) : null}
    </div>
  )
}

export function MenuItem({ onClick, current, children }: { onClick: () => void; current?: boolean; children: React.ReactNode }) {
  return (
    <button type="button" className={styles.item} aria-pressed={current} onClick={onClick}>
      {children}
    </button>
  )
}
