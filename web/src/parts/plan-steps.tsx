import type { Plan, Step } from '../api/types.ts'
import { counted, formatTime } from '../text/time.ts'
import { Diagnostics } from './failure-card.tsx'
import styles from './plan-steps.module.css'

/** Exactly what would be done, and as of when. */
export function PlanSteps({ plan }: { plan: Plan }) {
  return (
    <div className={styles.plan}>
      <p className={styles.summary}>
        {plan.summary}
        {plan.unchanged ? <span className="muted"> {counted(plan.unchanged, 'unchanged', 'unchanged')}.</span> : null}
      </p>
      <StepList steps={plan.steps} />
      {plan.affected.length ? (
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

/** Steps carry no verb of their own, so the sign says what its risk means: made, changed, gone. */
function Sign({ step }: { step: Step }) {
  const sign = step.risk === 'destructive' ? '−' : step.risk === 'disruptive' ? '~' : '+'
  return (
    <span className={styles.sign} data-risk={step.risk} aria-hidden="true">
      {sign}
    </span>
  )
}
