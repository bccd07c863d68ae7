/** What a capability says of one outside object: `foreign` exists but carries no owner tag of ours. */
export type Observed<A> = { state: 'absent' } | { state: 'owned'; attributes: A } | { state: 'foreign'; attributes: A }

/**
 * Proof of the right to change a product's objects in an environment, checked where the effect happens. `product` is the product's UUID; the environment
 * refuses an `epoch` lower than the highest it has seen for that product and lane; `(run, step)` makes an effect happen once.
 */
export type Fence = { product: string; lane: string; epoch: number; run: string; step: string }

/** Passed to every effect: `log` lines are shown to the user and never hold row values or secrets. */
export type EffectContext = { fence: Fence; signal: AbortSignal; log(line: string): void }

/** A thing kept equal to a description. I names it, D is what we want, A is what stands. */
export type Resource<I, D, A> = {
  read(request: { id: I }): Promise<Observed<A>>
  /** Converges from anywhere; a second call changes nothing. Tolerates objects that appeared meanwhile; refuses foreign ones with PLATFORM_RESOURCE_FOREIGN. */
  reconcile(request: { id: I; desired: D; context: EffectContext }): Promise<A>
  /** Removing what is already gone succeeds. */
  remove(request: { id: I; context: EffectContext }): Promise<void>
}
