import { Link } from '@tanstack/react-router'
import styles from './lineage.module.css'
import type { LineageSearch } from './lineage-search.ts'
import { LineageView } from './lineage-view.tsx'

/** Lineage on a product's page; the whole page has the same with any focus. */
export function LineageTab({ address, search }: { address: string; search: LineageSearch }) {
  return (
    <>
      <LineageView of={address} search={search} />
      <p className={styles.hint}>
        <Link to="/lineage" search={{ of: address, level: search.level, view: search.view }}>
          Open in the lineage page
        </Link>
      </p>
    </>
  )
}
