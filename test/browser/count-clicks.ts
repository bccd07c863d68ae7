import assert from 'node:assert/strict'
import type { Locator } from 'playwright-core'

/** Counts what a person does: a click is 1, typing or choosing one value is 1, a field that is filled in already is 0. */
export type Counter = {
  click(what: string, target: Locator): Promise<void>
  type(what: string, target: Locator, text: string): Promise<void>
  choose(what: string, target: Locator, value: string): Promise<void>
  /** fails when the job cost more than its budget, and names every act */
  within(budget: number): void
}

export function countClicks(): Counter {
  const acts: string[] = []
  return {
    async click(what, target) {
      acts.push(what)
      await target.click()
    },
    async type(what, target, text) {
      acts.push(what)
      await target.fill(text)
    },
    async choose(what, target, value) {
      acts.push(what)
      await target.selectOption(value)
    },
    within(budget) {
      assert.ok(acts.length <= budget, `${acts.length} acts, ${budget} allowed: ${acts.join(', ')}`)
    },
  }
}
