import assert from 'node:assert/strict'
import test from 'node:test'
import { sendOnce, sendOnceAs } from './once.ts'
import { Trouble } from './problem.ts'

/** A server that keeps to the key, and whose answers can get lost. */
function server() {
  const kept = new Map<string, { body: string; made: string }>()
  const log: string[] = []
  let lose: 'none' | 'call' | 'answer' = 'none'
  let keys = 0
  const post = async (body: { name: string }, key: string) => {
    log.push(`${key} ${body.name}`)
    if (lose === 'call') throw Trouble.unreachable(true)
    const before = kept.get(key)
    if (before && before.body !== body.name) throw new Trouble({ code: 'idempotency_key_reused' }, 409)
    const made = before?.made ?? `${body.name} as no. ${kept.size + 1}`
    kept.set(key, { body: body.name, made })
    if (lose === 'answer') throw Trouble.unreachable(true)
    return made
  }
  return { send: sendOnce(post, () => `key ${++keys}`), kept, log, lose: (what: typeof lose) => { lose = what } }
}
const lost = (error: unknown) => error instanceof Trouble && error.status === 0 && error.advice.includes('may have arrived') && error.advice.includes('only once')

test('what is sent again after a lost answer is made once', async () => {
  const { send, kept, lose } = server()
  lose('answer')
  await assert.rejects(send({ name: 'Robbery' }), lost)
  lose('none')
  assert.deepEqual(await send({ name: 'Robbery' }), { made: 'Robbery as no. 1', earlier: false })
  assert.equal(kept.size, 1)
})

test('words that were changed after a lost answer lead to what had arrived', async () => {
  const { send, kept, lose } = server()
  lose('answer')
  await assert.rejects(send({ name: 'Robbery' }), lost)
  await assert.rejects(send({ name: 'Robbery' }), lost)
  lose('none')
  assert.deepEqual(await send({ name: 'Robbery at Main St' }), { made: 'Robbery as no. 1', earlier: true })
  assert.equal(kept.size, 1)
  // and then it is the turn of something new
  assert.deepEqual(await send({ name: 'Robbery at Main St' }), { made: 'Robbery at Main St as no. 2', earlier: false })
})

test('words that were changed count where nothing had arrived', async () => {
  const { send, kept, lose } = server()
  lose('call')
  await assert.rejects(send({ name: 'Robery' }), lost)
  await assert.rejects(send({ name: 'Robbery' }), lost)
  lose('none')
  assert.deepEqual(await send({ name: 'Robbery' }), { made: 'Robbery as no. 1', earlier: false })
  assert.equal(kept.size, 1)
})

test('of several tries, the one that arrived is found', async () => {
  const { send, lose } = server()
  lose('call')
  await assert.rejects(send({ name: 'one' }), lost)
  lose('answer')
  await assert.rejects(send({ name: 'two' }), lost)
  lose('none')
  assert.deepEqual(await send({ name: 'three' }), { made: 'two as no. 1', earlier: true })
})

test('what was refused is no try: the corrected form is sent under the same key', async () => {
  let right = false
  const keys = new Set<string>()
  const send = sendOnce(async (body: string, key) => {
    keys.add(key)
    if (!right) throw new Trouble({ code: 'invalid' }, 422)
    return body
  })
  await assert.rejects(send('wrong'))
  right = true
  assert.deepEqual(await send('right'), { made: 'right', earlier: false })
  assert.equal(keys.size, 1)
})

test('a secret that was lost with its answer: said once, and the next try makes another', async () => {
  const keys: string[] = []
  const send = sendOnce(async (_: string, key) => {
    keys.push(key)
    if (keys.length === 1) throw new Trouble({ code: 'already_made', detail: 'Its key was kept nowhere.' }, 409)
    return 'another'
  })
  await assert.rejects(send('token'), (error) => error instanceof Trouble && error.advice.includes('send it again to make another'))
  assert.equal((await send('token')).made, 'another')
  assert.notEqual(keys[0], keys[1])
})

test('a form that was closed after a lost answer goes on under its key, and the next one under another', async () => {
  let n = 0
  const keys: string[] = []
  const open = () => sendOnceAs('ask item', async (_: string, key) => {
    keys.push(key)
    if (keys.length === 1) throw Trouble.unreachable(true)
    return 'asked'
  }, () => `key ${++n}`)
  await assert.rejects(open()('Which door?'), lost)
  assert.deepEqual(await open()('Which door?'), { made: 'asked', earlier: false })
  await open()('And when?')
  assert.equal(keys[1], keys[0])
  assert.notEqual(keys[2], keys[0])
})
