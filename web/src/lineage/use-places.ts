import { useEffect, useMemo, useRef, useState } from 'react'
import { type Failure, toFailure } from '../api/failure.ts'
import { columnsSuffice, placeInColumns } from './columns.ts'
import type { Picture } from './graph.ts'
import { type Layout, NODE, placeNodes, stopLayout } from './layout.ts'

const NONE: Layout = { places: new Map(), bends: new Map() }
const PATIENCE_MS = 20_000

type Placed = { picture: Picture; layout: Layout; failure: Failure | null }

/**
 * The last picture that was placed, and whether a newer one is on its way. What is on the page stays until the new one is ready; when the engine fails,
 * is stopped or takes too long, nodes stand in plain columns and it is said why.
 */
export function usePlaces(picture: Picture) {
  const [placed, setPlaced] = useState<Placed | null>(null)
  const plain = useMemo(
    () => (columnsSuffice(picture) ? { places: placeInColumns(picture, NODE), bends: new Map() } : null),
    [picture],
  )
  const stopSwitch = useRef<AbortController | null>(null)
  useEffect(() => {
    if (plain) return setPlaced({ picture, layout: plain, failure: null })
    const over = new AbortController()
    const stopped = new AbortController()
    stopSwitch.current = stopped
    const late = AbortSignal.timeout(PATIENCE_MS)
    placeNodes(picture, AbortSignal.any([over.signal, stopped.signal, late])).then(
      (layout) => {
        if (!over.signal.aborted) setPlaced({ picture, layout, failure: null })
      },
      (thrown: unknown) => {
        if (over.signal.aborted) return
        stopLayout()
        setPlaced({
          picture,
          layout: { places: placeInColumns(picture, NODE), bends: new Map() },
          failure: stopped.signal.aborted ? null : layoutFailure(thrown),
        })
      },
    )
    return () => over.abort()
  }, [picture, plain])
  if (plain) return { shown: picture, layout: plain, placing: false, failure: null, stop: () => {} }
  return {
    shown: placed?.picture ?? picture,
    layout: placed?.layout ?? NONE,
    placing: placed?.picture !== picture,
    failure: placed?.failure ?? null,
    stop: () => stopSwitch.current?.abort(),
  }
}

function layoutFailure(thrown: unknown): Failure {
  const why = thrown instanceof Error ? thrown.message : String(thrown ?? 'it gave no reason')
  return {
    ...toFailure(thrown),
    code: 'PORTAL_LAYOUT_FAILED',
    what: 'The layout engine failed, so the nodes stand in plain columns',
    why,
    fix: 'Everything is there. Show only some names, or look at the list.',
  }
}
