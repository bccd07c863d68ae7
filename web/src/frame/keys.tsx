import { useRouter } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Icon } from '../parts/icon.tsx'
import { FIND_BOX } from './find-box.tsx'
import { GO_TO } from './go-to.ts'
import styles from './shell.module.css'

const load = () => import('./palette.tsx')
const Palette = lazy(() => load().then((module) => ({ default: module.Palette })))
const KeyList = lazy(() => load().then((module) => ({ default: module.KeyList })))
/** After the first page has settled; a palette that is fetched when its key is pressed would lose the first letters. */
const AFTER_LOAD_MS = 1_500
const SECOND_KEY_MS = 1_200

/** The keys every page has, and what they open. Keys of a page's own stand with it. */
export function Keys() {
  const router = useRouter()
  const [shown, setShown] = useState<'palette' | 'keys' | null>(null)
  useEffect(() => {
    const timer = setTimeout(() => void load().catch(() => {}), AFTER_LOAD_MS)
    return () => clearTimeout(timer)
  }, [])
  useEffect(() => {
    let wentAt = 0
    const onKey = (event: KeyboardEvent) => {
      const command = (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) || event.key === 'F1'
      if (command && !event.altKey) {
        event.preventDefault()
        return setShown((before) => (before === 'palette' ? null : 'palette'))
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return
      if (document.querySelector('dialog[open]')) return
      if (event.key === '/') {
        event.preventDefault()
        return document.getElementById(FIND_BOX)?.focus()
      }
      if (event.key === '?') return setShown('keys')
      const place = event.timeStamp - wentAt < SECOND_KEY_MS ? GO_TO.find(({ key }) => key === event.key) : undefined
      if (place) void router.navigate({ to: place.to })
      wentAt = event.key === 'g' ? event.timeStamp : 0
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [router])
  const close = () => setShown(null)
  return (
    <>
      <button type="button" className={styles.help} aria-label="Keys" title="Keys (?)" onClick={() => setShown('keys')}>
        <Icon name="help" />
      </button>
      <Suspense>
        {shown === 'palette' ? <Palette close={close} showKeys={() => setShown('keys')} /> : null}
        {shown === 'keys' ? <KeyList close={close} /> : null}
      </Suspense>
    </>
  )
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}
