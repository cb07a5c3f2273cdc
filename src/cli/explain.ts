/** `optc explain FILE [NAME]`: the Plan as a person reads it. `optc explain OPT2003`: what an error means. */
import { compile } from '../compiler/compile.js'
import { messages } from '../compiler/messages.generated.js'
import { explain, explainJson } from '../compiler/plan/explain.js'
import { printJson, report, Sources, statusOf } from './analysis.js'
import { CallError } from './call-error.js'
import { expand } from './sources.js'
import { styleFor } from './terminal.js'

export async function explainCommand(
  what: string,
  name: string | undefined,
  options: { json?: boolean }
): Promise<void> {
  if (/^OPT\d+$/i.test(what)) explainCode(what.toUpperCase(), options.json === true)
  else explainFile(what, name, options.json === true)
}

function explainCode(code: string, json: boolean): void {
  const message = Object.hasOwn(messages, code) ? messages[code] : undefined
  if (!message) throw new CallError(`there is no error ${code}; the codes are ${Object.keys(messages).join(', ')}`)
  if (json) {
    printJson(message)
    return
  }
  const style = styleFor(process.stdout)
  const program = (title: string, text: string): string =>
    text === '' ? '' : `\n${style('bold', title)}\n\n${text.trimEnd().replace(/^/gm, '    ')}\n`
  const hint = message.hint === '' ? '' : `\n${style('cyan', 'hint')}: ${message.hint}\n`
  const explanation = message.explanation === '' ? '' : `\n${message.explanation}\n`
  process.stdout.write(
    `${style('bold', `${message.severity}[${code}]`)}: ${message.message}\n${hint}${explanation}${program('Wrong', message.wrong)}${program('Right', message.right)}`
  )
}

function explainFile(pattern: string, name: string | undefined, json: boolean): void {
  const [path, ...others] = expand([pattern])
  if (path === undefined || others.length > 0) throw new CallError(`explain takes one file; ${pattern} names several`)
  const sources = new Sources()
  const source = sources.open(path)
  const { diagnostics, plans } = compile(source, { path, load: sources.load })
  report([{ path, source, diagnostics }], sources)
  process.exitCode = statusOf(diagnostics)
  if (process.exitCode !== 0) return
  const chosen = plans.filter((p) => name === undefined || p.name === name)
  if (chosen.length === 0) {
    const known = plans.map((p) => p.name).join(', ')
    throw new CallError(
      name === undefined ? `${path} has no optimizer` : `${path} has no optimizer ${name}; it has ${known || 'none'}`
    )
  }
  if (json) printJson(explainJson(chosen))
  else process.stdout.write(chosen.map(explain).join('\n'))
}
