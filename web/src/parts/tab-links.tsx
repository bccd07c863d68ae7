import { Link } from '@tanstack/react-router'
import styles from './parts.module.css'

export type Tab = { value: string; label: string; count?: number | undefined }

/** Tabs that are links: the open one is in the address, so it can be shared and Back works. */
export function TabLinks({ label, tabs, current }: { label: string; tabs: Tab[]; current: string }) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.value}
          to="."
          search={(before: Record<string, unknown>) => ({ ...before, tab: tab.value === tabs[0]?.value ? undefined : tab.value })}
          activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }}
          data-open={tab.value === current}
        >
          {tab.label}
          {tab.count ? <span className={styles.count}>{tab.count}</span> : null}
        </Link>
      ))}
    </nav>
  )
}
