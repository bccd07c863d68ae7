import { ActionIcon, Button, TextInput } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { Icon } from '../parts/icon.tsx'
import { StatusGlyph } from '../status/status.tsx'
import type { Shown } from './graph.ts'
import styles from './lineage.module.css'

const SHOWN = 100

/** What a group holds: found by name, taken into the picture one by one. */
export function GroupList({
  group,
  onClose,
  onPick,
  onFocus,
}: {
  group: Extract<Shown, { kind: 'group' }>
  onClose: () => void
  onPick: (address: string) => void
  onFocus: (address: string) => void
}) {
  const [text, setText] = useState('')
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const found = group.members.filter((member) => member.address.toLowerCase().includes(text.toLowerCase()))
  return (
    <section
      className={styles.group}
      aria-label={`${group.members.length} more ${group.side === 'up' ? 'before' : 'behind'} ${group.of}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <header>
        <h2>
          {group.members.length} more {group.side === 'up' ? 'before' : 'behind'}
        </h2>
        <ActionIcon aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </ActionIcon>
      </header>
      <p className="muted">{group.of}</p>
      <TextInput
        ref={field}
        aria-label="Find in the group"
        placeholder={`Find among ${group.members.length}`}
        leftSection={<Icon name="search" />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ul>
        {found.slice(0, SHOWN).map((member) => (
          <li key={member.address}>
            {member.state ? <StatusGlyph kind="product" state={member.state} /> : <span />}
            <button type="button" className={styles.plain} onClick={() => onFocus(member.address)}>
              {member.address}
            </button>
            <Button size="xs" variant="quiet" onClick={() => onPick(member.address)}>
              Show
              <span className="sr-only"> {member.address} in the picture</span>
            </Button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN ? (
        <p className="muted">
          The first {SHOWN} of {found.length}. Type more of the name.
        </p>
      ) : null}
      {found.length ? null : (
        <p className="muted">
          None of {group.members.length} holds “{text}”.
        </p>
      )}
    </section>
  )
}
