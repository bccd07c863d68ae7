import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { matchesVerifier, newPassword, scramVerifier } from './scram.ts'

// The exchange of RFC 7677, section 3: the server's signature proves that its key was derived from the password.
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const EXCHANGE = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${NONCE}`
const SIGNATURE = '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

test('the verifier holds the server key of RFC 7677', () => {
  const verifier = scramVerifier('pencil', SALT, 4096)
  const [, head, keys] = verifier.split('$')
  assert.equal(head, `4096:${SALT.toString('base64')}`)
  const serverKey = Buffer.from(keys!.split(':')[1]!, 'base64')
  assert.equal(createHmac('sha256', serverKey).update(EXCHANGE).digest('base64'), SIGNATURE)
})

test('a verifier matches its password and no other', () => {
  const password = newPassword()
  const verifier = scramVerifier(password)
  assert.ok(!verifier.includes(password))
  assert.equal(matchesVerifier(password, verifier), true)
  assert.equal(matchesVerifier(`${password}x`, verifier), false)
  assert.equal(matchesVerifier(password, null), false)
  assert.equal(matchesVerifier(password, 'md5abc'), false)
})
