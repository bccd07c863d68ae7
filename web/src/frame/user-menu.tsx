import { ActionIcon, SegmentedControl } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Me } from '../api/types.ts'
import { actAs, actingAs } from '../api/view-as.ts'
import { Icon } from '../parts/icon.tsx'
import { MenuButton, MenuItem } from '../parts/menu.tsx'
import { applyScheme, readScheme, type SchemeChoice } from '../theme/scheme.ts'
import styles from './shell.module.css'

const SCHEMES = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

export function UserMenu({ me }: { me: Me }) {
  const client = useQueryClient()
  const [scheme, setScheme] = useState(readScheme)
  const as = me.as ?? actingAs()
  const shown = as ?? me.name
  // What one user may see must not stay on the page of another, so the cache goes with him.
  const switchTo = (name: string | null) => {
    actAs(name)
    void client.resetQueries()
  }
  return (
    <>
      {as ? (
        <span className={styles.as}>
          viewing as {as}
          <ActionIcon
            size={24}
            variant="transparent"
            c="inherit"
            aria-label={`Stop viewing as ${as}`}
            title="Back to yourself"
            onClick={() => switchTo(null)}
          >
            <Icon name="close" size={12} />
          </ActionIcon>
        </span>
      ) : null}
      <MenuButton
        title="User, appearance"
        className={styles.user}
        label={
          <>
            <span className={styles.avatar} aria-hidden="true">
              {shown.slice(0, 1).toUpperCase()}
            </span>
            <span className={styles.userName}>{shown}</span>
            <Icon name="down" size={12} />
          </>
        }
      >
        {(close) => (
          <>
            <p className={styles.menuBlock}>
              <strong>{me.title}</strong>
              <br />
              <span className="muted">{[...me.groups, ...(me.platform ? ['platform'] : [])].join(', ') || 'no groups'}</span>
            </p>
            <p className={styles.menuTitle}>Appearance</p>
            <div className={styles.menuBlock}>
              <SegmentedControl
                aria-label="Appearance"
                fullWidth
                data={SCHEMES}
                value={scheme}
                onChange={(value) => {
                  applyScheme(value as SchemeChoice)
                  setScheme(value as SchemeChoice)
                }}
              />
            </div>
            {me.viewAs.length ? (
              <>
                <hr className={styles.rule} />
                <p className={styles.menuTitle}>View as a sample user, this tab only</p>
                {[null, ...me.viewAs].map((name) => (
                  <MenuItem
                    key={name ?? ''}
                    current={as === name}
                    onClick={() => {
                      switchTo(name)
                      close()
                    }}
                  >
                    {name ?? 'Yourself'}
                  </MenuItem>
                ))}
              </>
            ) : null}
          </>
        )}
      </MenuButton>
    </>
  )
}
