// Measuring side by side: every round runs each contender once, so that what the machine does meanwhile hits all alike.
export const ROUNDS = 5

/** A quick one runs so many ms in a round, and at most so many times; before, uncounted, until so many ms are over. */
const [LONG, MOST, WARM] = [50, 500, 300]

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

/**
 * Of functions by name: the median times in ms until each is `done` (where it returns a promise, until that is kept), and
 * until it had `returned`. Each runs for a while before that is not counted, to be compiled.
 */
export async function interleaved(contenders, rounds = ROUNDS) {
  const names = Object.keys(contenders)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  const repeats = {}
  for (const name of names) {
    repeats[name] = 1
    for (const started = performance.now(); performance.now() - started < WARM; ) {
      const { done } = await timeOf(contenders[name], repeats[name])
      repeats[name] = Math.max(1, Math.min(MOST, Math.floor(LONG / done)))
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push(await timeOf(contenders[name], repeats[name]))
  }
  const medianOf = (name, what) => median(times[name].map((time) => time[what]))
  return Object.fromEntries(
    names.map((name) => [name, { done: medianOf(name, 'done'), returned: medianOf(name, 'returned') }])
  )
}

async function timeOf(f, repeats) {
  let returned = 0
  const started = performance.now()
  for (let i = 0; i < repeats; i++) {
    const called = performance.now()
    const result = f()
    returned += performance.now() - called
    if (result instanceof Promise) await result
  }
  return { done: (performance.now() - started) / repeats, returned: returned / repeats }
}
