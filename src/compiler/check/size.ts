/** How large a program may be: beyond that no planner searches it and no kernel compiler takes it. */
import { problems } from '../messages.generated.js'
import type { Name } from '../syntax/ast.js'
import { type Frame, report } from './scope.js'

const MOST_NODES = 4_000
const LONGEST_CHAIN = 500

/** Reports a step of too many operations, or of too many that wait for each other. */
export function tooLarge(name: Name, frame: Frame): void {
  const { nodes } = frame.graph
  const tell = (what: string, suggestion: string): void =>
    report(frame, problems.tooLarge, name, { name: name.text, what, suggestion })
  if (nodes.length > MOST_NODES) {
    const split = 'Split it into several optimizers, or bind what is computed again and again to a local.'
    tell(`more than ${MOST_NODES} operations`, split)
    return
  }
  const depth: number[] = []
  for (const node of nodes) depth.push(1 + Math.max(0, ...node.args.map((a) => depth[a.id]!)))
  if (Math.max(0, ...depth) > LONGEST_CHAIN) {
    tell(
      `a chain of more than ${LONGEST_CHAIN} operations, each waiting for the one before`,
      'Compute it in fewer steps.'
    )
  }
}
