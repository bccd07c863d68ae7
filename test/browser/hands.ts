import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'

/** A reader whose effort is counted: a click is 1, typing or picking one value is 1, what is filled in already is 0. */
export type Hands = {
  click: (target: Locator) => Promise<void>
  /** presses the key that focuses the search of every page, and types */
  search: (text: string) => Promise<void>
  pick: (field: Locator, value: string) => Promise<void>
  press: (key: string) => Promise<void>
  /** fails when the job took more than it may */
  spent: (budget: number, job: string) => void
}

export function createHands(page: Page): Hands {
  const did: string[] = []
  return {
    click: async (target) => {
      did.push(`click ${String(target)}`)
      await target.click()
    },
    search: async (text) => {
      did.push(`type ${text}`)
      await page.keyboard.press('/')
      await page.keyboard.type(text, { delay: 15 })
    },
    pick: async (field, value) => {
      did.push(`pick ${value}`)
      await field.selectOption(value)
    },
    press: async (key) => {
      did.push(`press ${key}`)
      await page.keyboard.press(key)
    },
    spent: (budget, job) => assert.ok(did.length <= budget, `${job} took ${did.length}, may take ${budget}:\n${did.join('\n')}`),
  }
}
