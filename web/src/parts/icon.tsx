/** 16 px, stroke 1.6; for the rail and tool bars only. */
const PATHS = {
  home: 'M2.5 7.2 8 2.6l5.5 4.6V13a.5.5 0 0 1-.5.5h-3.2V9.8H6.2v3.7H3a.5.5 0 0 1-.5-.5Z',
  products: 'M8 1.8 13.6 5v6L8 14.2 2.4 11V5ZM2.6 5.1 8 8.2l5.4-3.1M8 8.2v5.8',
  catalog: 'M2.5 3.5h11M2.5 7h5M2.5 10.5h4M10.2 12.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Zm2-0.8 1.8 1.9',
  lineage:
    'M8 6.2a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8ZM3.8 13.6a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Zm8.4 0a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM7.2 6 4.6 10.4M8.8 6l2.6 4.4',
  requests:
    'M2.5 8.8 4 3.2a.9.9 0 0 1 .9-.7h6.2a.9.9 0 0 1 .9.7l1.5 5.6v4a.7.7 0 0 1-.7.7H3.2a.7.7 0 0 1-.7-.7Zm0 .2h3.2l.9 1.8h2.8l.9-1.8h3.2',
  incidents: 'M8 2.2 14.4 13.4H1.6ZM8 6.4v3.2M8 11.5v.1',
  runs: 'M4.5 2.8v10.4L13 8Z',
  copy: 'M5.5 5.5h8v8h-8ZM3 10.5h-.5v-8h8V3',
  tick: 'm3 8.5 3.2 3.2L13 4.8',
  link: 'M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2A2.6 2.6 0 0 0 9 3.3l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.7l.8-.8',
  download: 'M8 2.5v7.3m-3-3 3 3 3-3M2.8 12v1.5h10.4V12',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Zm3.3-1.2 3.2 3.2',
  down: 'm4 6.2 4 4 4-4',
  right: 'm6.2 4 4 4-4 4',
  close: 'm4 4 8 8m0-8-8 8',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  help: 'M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.7-.8 1.3M8 11.4v.1',
  more: 'M3.2 8h.1M8 8h.1m4.6 0h.1',
  follow: 'm4 3.5 4 4 4-4m-8 5 4 4 4-4',
} as const
export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.2 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
