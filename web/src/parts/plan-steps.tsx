import type { Plan, Step } from '../api/types.ts'
import { counted, formatTime } from '../text/time.ts'
import { Diagnostics } from './failure-card.tsx'
import styles from './plan-steps.module.css'

/** Exactly what would be done, and as of when. `compact` leaves out who is hit, for a page that says it elsewhere. */
export function PlanSteps({ plan, compact = false }: { plan: Plan; compact?: boolean }) {
  return (
    <div className={styles.plan}>
      <p className={styles.summary}>
        {plan.summary}
        {plan.unchanged ? <span className="muted"> {counted(plan.unchanged, 'unchanged', 'unchanged')}.</span> : null}
      </p>
      {compact ? <CompactSteps steps={plan.steps} /> : <StepList steps={plan.steps} />}
      {plan.affected.length && !compact ? (
        <p>
          <strong>Affects</strong> {plan.affected.join(', ')}
        </p>
      ) : null}
      <Diagnostics items={plan.diagnostics} />
      <p className={styles.asOf}>As of {formatTime(plan.asOf)}. What is shown is what runs.</p>
    </div>
  )
}

/** In order, grouped by stage; red stands for destructive alone. */
export function StepList({ steps }: { steps: Step[] }) {
  const stages = [...new Set(steps.map((step) => step.stage))]
  return (
    <div className={styles.plan}>
      {stages.map((stage) => (
        <section key={stage} aria-label={stage}>
          <h3>{stage}</h3>
          <ul>
            {steps
              .filter((step) => step.stage === stage)
              .map((step) => (
                <li key={step.id}>
                  <Sign step={step} />
                  <span className={styles.title}>{step.title}</span>
                  <span className={styles.because}>{step.because}</span>
                  <span className={styles.risk} data-risk={step.risk}>
                    {step.risk}
                  </span>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

/** One line a step, its stage before it: for a plan whose steps all have the same reason. */
export function CompactSteps({ steps }: { steps: Step[] }) {
  return (
    <ol className={styles.compact}>
      {steps.map((step, index) => (
        <li key={step.id}>
          <span className={styles.stage}>{steps[index - 1]?.stage === step.stage ? '' : step.stage}</span>
          <Sign step={step} />
          <span className={styles.title}>{step.title}</span>
          <span className={styles.risk} data-risk={step.risk}>
            {step.risk}
          </span>
        </li>
      ))}
    </ol>
  )
}

/** Steps carry no verb of their own, so the sign says what its risk means: made, changed, gone. */
function Sign({ step }: { step: Step }) {
  const sign = step.risk === 'destructive' ? '−' : step.risk === 'disruptive' ? '~' : '+'
  return (
    <span className={styles.sign} data-risk={step.risk} aria-hidden="true">
      {sign}
    </span>
  )
}
