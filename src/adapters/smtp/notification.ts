import { hostname } from 'node:os'
import type { Destination, Message, Notification, Sent } from '../../platform/notification.ts'

type Email = Extract<Destination, { kind: 'email' }>
export type SmtpDeps = {
  host: string
  port: number
  /** `Heddle <heddle@example.org>` */
  from: string
  /** tls: from the first byte; starttls: required; plain: for a server on this machine */
  security: 'tls' | 'starttls' | 'plain'
  user: { name: string; password: string } | null
  /** milliseconds for connecting, greeting and each answer; default 15000 */
  timeoutMs?: number
  /** nodemailer; loaded when the first mail goes out */
  load?(): Promise<Mailer>
}

/** What is used of nodemailer. */
export type Mailer = {
  createTransport(options: {
    host: string
    port: number
    secure: boolean
    requireTLS: boolean
    ignoreTLS: boolean
    auth?: { user: string; pass: string }
    connectionTimeout: number
    greetingTimeout: number
    socketTimeout: number
    disableFileAccess: true
    disableUrlAccess: true
  }): {
    sendMail(mail: {
      from: string
      to: string[]
      subject: string
      text: string
      messageId: string
      references: string
      inReplyTo?: string
      date: Date
      headers: Record<string, string>
    }): Promise<{ accepted: unknown[]; rejected: unknown[] }>
    close(): void
  }
}

const MODULE: string = 'nodemailer'

/** Plain text mail; messages of one incident are one thread, a repeated try has the same Message-ID. */
export function createSmtpNotification(deps: SmtpDeps): Notification<Email> {
  const { from, load = () => import(MODULE) as Promise<Mailer> } = deps
  const at = from.replace(/^.*@|>$/g, '') || hostname()
  return {
    async send({ to, message, signal }) {
      let mailer: Mailer
      try {
        mailer = await load()
      } catch {
        return { outcome: 'later', problem: 'NOTIFY_ADAPTER_MISSING: nodemailer is not installed', afterMs: null }
      }
      const transport = mailer.createTransport(optionsOf(deps))
      const close = () => transport.close()
      signal.addEventListener('abort', close, { once: true })
      try {
        signal.throwIfAborted()
        await transport.sendMail({ from, to: [...to.to], ...mailOf(message, at) })
        return { outcome: 'delivered' }
      } catch (error) {
        return failed(error)
      } finally {
        signal.removeEventListener('abort', close)
        transport.close()
      }
    },
  }
}

function optionsOf({ host, port, security, user, timeoutMs = 15_000 }: SmtpDeps) {
  return {
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'plain',
    ...(user && { auth: { user: user.name, pass: user.password } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const
}

function mailOf(message: Message, at: string) {
  const thread = `<${message.thread}@${at}>`
  return {
    subject: message.subject.replaceAll(/\s+/g, ' '),
    text: message.text,
    messageId: `<${message.id}@${at}>`,
    references: thread,
    ...(message.type !== 'incident.opened' && { inReplyTo: thread }),
    date: new Date(message.at),
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

/** 5xx is the server's last word on this mail; everything else may pass. Its text can quote addresses, so only the number is kept. */
function failed(error: unknown): Sent {
  const { responseCode, code } = error as { responseCode?: number; code?: string }
  if (responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH')
    return { outcome: 'refused', problem: `the mail server answered ${responseCode}` }
  return {
    outcome: 'later',
    problem: responseCode ? `the mail server answered ${responseCode}` : `no mail server: ${code ?? 'unknown'}`,
    afterMs: null,
  }
}
