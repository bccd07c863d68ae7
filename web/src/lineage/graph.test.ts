import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lineage, LineageNode } from '../api/types.ts'
import { columnsSuffice, placeInColumns } from './columns.ts'
import { drawPicture, listRows, mergeAnswers, readOpened, writeOpened } from './graph.ts'

const node = (address: string, up = 0, down = 0, state = 'active'): LineageNode => ({
  address,
  kind: 'product',
  name: address,
  product: address,
  state,
  slo: 'met',
  up,
  down,
})

function answer(focus: string, nodes: LineageNode[], edges: [string, string][], missing: string[] = []): Lineage {
  return {
    focus,
    level: 'product',
    environment: 'prod',
    nodes,
    edges: edges.map(([from, to]) => ({ from, to, kind: 'reads' })),
    missing,
  }
}

const none = { picked: new Set<string>(), only: '' }

test('95 readers are eight and one group of 87; what is in trouble is among the eight', () => {
  const readers = Array.from({ length: 95 }, (_, index) =>
    node(`d/p${String(index).padStart(2, '0')}`, 1, 0, index === 90 ? 'failed' : 'active'),
  )
  const whole = mergeAnswers([
    answer(
      'a/focus',
      [node('a/focus', 0, 95), ...readers],
      readers.map((reader) => ['a/focus', reader.address]),
    ),
  ])
  const picture = drawPicture(whole, none)
  const group = picture.items.find((item) => item.kind === 'group')
  assert.equal(group?.kind === 'group' && group.members.length, 87)
  assert.equal(picture.total, 9)
  assert.ok(picture.items.some((item) => item.id === 'd/p90'))
  assert.ok(picture.edges.some((edge) => edge.from === 'a/focus' && edge.to === group?.id))

  const picked = drawPicture(whole, { picked: new Set(['d/p50']), only: '' })
  assert.ok(picked.items.some((item) => item.id === 'd/p50'))
  const left = picked.items.find((item) => item.kind === 'group')
  assert.equal(left?.kind === 'group' && left.members.length, 86)

  const filtered = drawPicture(whole, { picked: new Set(), only: 'p3' })
  assert.equal(filtered.total, 9, 'eight of the ten that hold the words, and the focus')
  assert.equal(drawPicture(whole, { picked: new Set(), only: 'p5 0' }).total, 2)
})

test('nine neighbours are drawn: a group of one would hide what takes no more room', () => {
  const readers = Array.from({ length: 9 }, (_, index) => node(`d/p${index}`))
  const whole = mergeAnswers([
    answer(
      'a/focus',
      [node('a/focus', 0, 9), ...readers],
      readers.map((reader) => ['a/focus', reader.address]),
    ),
  ])
  assert.equal(drawPicture(whole, none).items.length, 10)
})

test('answers are merged, counters say what nobody asked for yet, and a cycle ends', () => {
  const first = answer(
    'a/f',
    [node('a/f', 1, 1), node('a/u', 3, 1), node('a/d', 1, 2)],
    [
      ['a/u', 'a/f'],
      ['a/f', 'a/d'],
    ],
    ['b/x could not be read'],
  )
  const more = answer(
    'a/d',
    [node('a/d', 1, 2), node('a/e', 1, 0), node('a/f', 1, 1)],
    [
      ['a/d', 'a/e'],
      ['a/d', 'a/f'],
    ],
  )
  const whole = mergeAnswers([first, more])
  const picture = drawPicture(whole, none)
  assert.deepEqual(picture.items.map((item) => item.id).toSorted(), ['a/d', 'a/e', 'a/f', 'a/u'])
  const upstream = picture.items.find((item) => item.id === 'a/u')
  assert.deepEqual(upstream?.kind === 'node' && upstream.hidden, { up: 3, down: 0 })
  assert.deepEqual(whole.missing, ['b/x could not be read'])
  const rows = listRows(whole, '')
  assert.deepEqual(
    rows.filter((row) => row.side === 'down').map((row) => [row.node.address, row.hops, row.via]),
    [
      ['a/d', 1, ['a/f']],
      ['a/e', 2, ['a/d']],
    ],
  )
})

test('a product looked at by its columns is seen from all of them', () => {
  const column = (address: string, product: string): LineageNode => ({ ...node(address), kind: 'column', product })
  const whole = mergeAnswers([
    answer(
      'a/f',
      [column('a/f/p.o.x', 'a/f'), column('a/f/p.o.y', 'a/f'), column('b/g/p.o.z', 'b/g')],
      [['a/f/p.o.x', 'b/g/p.o.z']],
    ),
  ])
  assert.equal(drawPicture(whole, none).total, 3)
  assert.equal(listRows(whole, '').filter((row) => row.side === 'focus').length, 2)
})

test('an edge to a node that was not told is left out', () => {
  const whole = mergeAnswers([answer('a/f', [node('a/f', 0, 1)], [['a/f', 'a/gone']])])
  assert.deepEqual(drawPicture(whole, none).edges, [])
})

test('opened sides go through the address and back', () => {
  const opened = [
    { side: 'up', address: 'a/b' },
    { side: 'down', address: 'source:flights' },
  ] as const
  assert.deepEqual(readOpened(writeOpened(opened)), opened)
  assert.deepEqual(readOpened('sideways:x,,up'), [])
  assert.equal(writeOpened([]), undefined)
})

test('one hop each side needs no layout engine; an edge over the focus or a second hop does', () => {
  const one = mergeAnswers([
    answer(
      'a/f',
      [node('a/f', 1, 1), node('a/u'), node('a/d')],
      [
        ['a/u', 'a/f'],
        ['a/f', 'a/d'],
      ],
    ),
  ])
  const picture = drawPicture(one, none)
  assert.ok(columnsSuffice(picture))
  const places = placeInColumns(picture, { width: 100, height: 50 })
  assert.ok(places.get('a/u')!.x < places.get('a/f')!.x && places.get('a/f')!.x < places.get('a/d')!.x)
  const over = answer(
    'a/f',
    [...one.nodes.values()],
    [
      ['a/u', 'a/f'],
      ['a/f', 'a/d'],
      ['a/u', 'a/d'],
    ],
  )
  assert.ok(!columnsSuffice(drawPicture(mergeAnswers([over]), none)))
  const far = answer('a/d', [node('a/d'), node('a/e')], [['a/d', 'a/e']])
  assert.ok(
    !columnsSuffice(
      drawPicture(
        mergeAnswers([
          answer(
            'a/f',
            [...one.nodes.values()],
            [
              ['a/u', 'a/f'],
              ['a/f', 'a/d'],
            ],
          ),
          far,
        ]),
        none,
      ),
    ),
  )
})
