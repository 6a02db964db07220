/**
 * Tells what the queries learned, all of it at once and behind what React has begun. By a timer of its own, which is the default, each
 * answer is drawn before React comes to what the last one left to do; on a slow machine that takes fifty answers in a row for a page
 * that draws itself for ever, and breaks it.
 */
const waiting: (() => void)[] = []
const channel = new MessageChannel()
channel.port1.onmessage = () => {
  for (const tell of waiting.splice(0)) {
    try { tell() } catch (error) { reportError(error) }
  }
}

export function inTurn(tell: () => void) {
  if (waiting.push(tell) === 1) channel.port2.postMessage(null)
}
