/** The pages of the rail, for the palette and for `g` and a letter. */
export const GO_TO = [
  { key: 'h', to: '/', label: 'Home' },
  { key: 'c', to: '/catalog', label: 'Catalog' },
  { key: 'q', to: '/requests', label: 'Requests' },
  { key: 'r', to: '/runs', label: 'Runs' },
  { key: 'l', to: '/lineage', label: 'Lineage' },
  { key: 'n', to: '/new', label: 'New product' },
] as const
