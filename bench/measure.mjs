// Measuring side by side: every round runs each contender once, so that what the machine does meanwhile hits all alike.
export const ROUNDS = 5

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

/**
 * Medians in ms by name, of functions that may return a promise. Each runs once before, to be compiled; a quick one runs
 * many times a round. `after` each round of one comes what is not timed.
 */
export async function interleaved(contenders, rounds = ROUNDS, after = () => {}) {
  const names = Object.keys(contenders)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  const repeats = {}
  for (const name of names) {
    await contenders[name]()
    await after()
    const once = await timeOf(contenders[name], 1)
    await after()
    repeats[name] = Math.max(1, Math.min(100, Math.floor(50 / once)))
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      times[name].push(await timeOf(contenders[name], repeats[name]))
      await after()
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])]))
}

async function timeOf(f, repeats) {
  const started = performance.now()
  for (let i = 0; i < repeats; i++) {
    const result = f()
    if (result instanceof Promise) await result
  }
  return (performance.now() - started) / repeats
}
