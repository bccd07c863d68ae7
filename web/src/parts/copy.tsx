import { ActionIcon, Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Icon, type IconName } from './icon.tsx'
import styles from './parts.module.css'

/** The clipboard interface needs a secure origin; a selection works everywhere. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

/** Copies a text that is still on its way. Called within a click: some browsers let a page write only then, and take a promise of the text. */
export async function copyLater(text: Promise<string>): Promise<void> {
  if (navigator.clipboard && typeof ClipboardItem !== 'undefined') {
    const blob = text.then((value) => new Blob([value], { type: 'text/plain' }))
    // A refused call must be told as itself, not as a clipboard that failed.
    const [, written] = await Promise.all([
      text,
      navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]).then(
        () => true,
        (error: unknown) => error,
      ),
    ])
    if (written === true) return
  }
  await copyText(await text)
}

function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  return [copied, (text) => void copyText(text).then(() => setCopied(true))]
}

export function CopyButton({ text, label, variant = 'quiet' }: { text: string; label: string; variant?: 'quiet' | 'default' }) {
  const [copied, copy] = useCopied()
  return (
    <Button size="xs" variant={variant} leftSection={<Icon name={copied ? 'tick' : 'copy'} />} onClick={() => copy(text)}>
      <span aria-live="polite">{copied ? 'Copied' : label}</span>
    </Button>
  )
}

export function CopyIcon({ text, label, icon = 'copy' }: { text: string; label: string; icon?: IconName }) {
  const [copied, copy] = useCopied()
  return (
    <ActionIcon aria-label={copied ? 'Copied' : label} title={copied ? 'Copied' : label} onClick={() => copy(text)}>
      <Icon name={copied ? 'tick' : icon} />
    </ActionIcon>
  )
}

/** One line to copy: a command with its prompt, or an address. */
export function CopyLine({ text, label, prompt = '' }: { text: string; label: string; prompt?: string }) {
  return (
    <div className={styles.copyLine}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, and the keyboard must reach it */}
      <code tabIndex={0} data-prompt={prompt}>
        {text}
      </code>
      <CopyIcon text={text} label={label} />
    </div>
  )
}
